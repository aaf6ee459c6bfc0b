// A watcher of a document of tokens that never misses anything: it folds every delta, holds the hash against
// its own, and begins again where it was when its node ends or gives it up (CommittedOnly, StateIsFold).

import assert from 'node:assert/strict';
import type { Prng } from '@deltabase/base';
import {
  applyPatch,
  hashText,
  PieceBuilder,
  parsePatch,
  parsePiece,
  toJson,
  type Value,
} from '@deltabase/delta';
import {
  type Failure,
  recordOf,
  type TailDelta,
  type Watch,
  type WatchSink,
} from '@deltabase/engine';
import type { TokenHistory } from '../check/token-history.js';
import type { Cluster } from './cluster.js';

export interface SimulatedWatchOptions {
  readonly cluster: Cluster;
  readonly name: string;
  readonly space: string;
  readonly key: string;
  readonly history: TokenHistory;
  /** Takes nothing now and then, for up to so long. */
  readonly stallMsMax?: number;
}

const AGAIN_MS = 100;
const DEPTH = { depthMax: 64 };

export class SimulatedWatch implements WatchSink {
  readonly #options: SimulatedWatchOptions;
  readonly #chance: Prng;
  #ready = true;
  #seq = 0;
  #root: Value | undefined;
  #building: PieceBuilder | undefined;
  #floor = 0;
  #watch: Watch | undefined;
  /** Counts attempts: what an earlier one still says is void. */
  #attempt = 0;
  /** Times it began with a state, and times behind a seq. */
  readonly begun = { withState: 0, behindSeq: 0 };

  constructor(options: SimulatedWatchOptions) {
    this.#options = options;
    this.#chance = options.cluster.simulation.random.fork(`watch ${options.name}`);
    this.#begin();
  }

  get key(): string {
    return this.#options.key;
  }

  /** The seq it has come to. */
  get seq(): number {
    return this.#seq;
  }

  get tokens(): unknown[] {
    return this.#root === undefined || this.#root === null ? [] : (toJson(this.#root) as unknown[]);
  }

  get ready(): boolean {
    return this.#ready;
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.#building ??= new PieceBuilder(DEPTH);
    this.#building.add(parsePiece(piece, DEPTH));
    if (hash === undefined) return;
    const root = this.#building.finish();
    this.#building = undefined;
    assert.equal(hashText(root), hash, `${this.#options.name}: the state at ${seq} (StateIsFold)`);
    this.#options.history.saw(seq, this.#floor);
    this.#root = root;
    this.#seq = seq;
    this.#options.history.copy(this.tokens);
  }

  delta(delta: TailDelta): void {
    const record = recordOf(delta);
    const { name } = this.#options;
    assert.ok(this.#root !== undefined, `${name}: deltas come behind a state`);
    assert.equal(delta.seq, this.#seq + 1, `${name}: no gap and no repeat (CommittedOnly)`);
    this.#root = applyPatch(this.#root, parsePatch(record.patch, DEPTH));
    assert.equal(hashText(this.#root), record.hash, `${name}: at ${delta.seq} (StateIsFold)`);
    this.#seq = delta.seq;
    this.#options.history.saw(delta.seq, 0);
    this.#maybeStall();
  }

  flush(): void {
    this.#options.history.copy(this.tokens);
  }

  end(_why: Failure): void {
    this.#attempt++;
    this.#later(AGAIN_MS, () => this.#begin());
  }

  #begin(): void {
    const { cluster, space, key, history } = this.#options;
    const up = cluster.ids.filter((id) => cluster.isUp(id));
    const attempt = ++this.#attempt;
    if (up.length === 0) {
      this.#later(AGAIN_MS, () => this.#begin());
      return;
    }
    const node = up[this.#chance.below(up.length)]!;
    const isKnown = this.#root !== undefined && this.#chance.below(4) > 0;
    this.begun[isKnown ? 'behindSeq' : 'withState']++;
    this.#floor = history.begin();
    this.#building = undefined;
    this.#ready = true;
    const life = cluster.lifeOf(node);
    const afterSeq = isKnown ? this.#seq : undefined;
    const only = this.#onlyOf(attempt);
    this.#watch = cluster.engine(node).watch({ space, key, afterSeq }, only);
    const look = (): void => {
      if (this.#attempt !== attempt) return;
      if (cluster.lifeOf(node) === life) this.#later(AGAIN_MS, look);
      else this.#begin();
    };
    look();
  }

  /** This sink, for as long as the attempt counts. */
  #onlyOf(attempt: number): WatchSink {
    const is = (): boolean => this.#attempt === attempt;
    const self = this;
    return {
      get ready() {
        return is() && self.ready;
      },
      state: (seq, piece, hash) => void (is() && this.state(seq, piece, hash)),
      delta: (delta) => void (is() && this.delta(delta)),
      flush: () => void (is() && this.flush()),
      end: (why) => void (is() && this.end(why)),
    };
  }

  #maybeStall(): void {
    const { stallMsMax = 0 } = this.#options;
    if (stallMsMax === 0 || this.#chance.below(4) > 0) return;
    this.#ready = false;
    const watch = this.#watch;
    this.#later(this.#chance.fraction() * stallMsMax, () => {
      this.#ready = true;
      watch?.resume();
    });
  }

  #later(delayMs: number, run: () => void): void {
    this.#options.cluster.simulation.schedule(delayMs, run);
  }
}
