// A watcher of a document of tokens that never misses anything: it folds every step it is given, be that a delta or
// several in one, holds the hash against its own and the history's, and begins again where it was when its node
// ends or gives it up (CommittedOnly, StateIsFold). It also sees that steps come no faster than it asked for.

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
  type ComposedDelta,
  type Failure,
  type NodeId,
  recordOf,
  type TailDelta,
  type Watch,
  type WatchPolicy,
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
  /** `every` by default. */
  readonly policy?: WatchPolicy;
}

const AGAIN_MS = 100;
const DEPTH = { depthMax: 64 };
/** How much sooner than after its interval a step may come, when the one before was late. */
const LATE_PART = 0.25;

export class SimulatedWatch implements WatchSink {
  readonly #options: SimulatedWatchOptions;
  readonly #chance: Prng;
  readonly #policy: WatchPolicy;
  #node: NodeId = 0;
  /** When the last step of this attempt came, by the node's clock. */
  #lastMs: number | undefined;
  /** In this attempt it has a state to go on from. */
  #hasBegun = false;
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
  /** Steps of more than one delta, and states in place of what was missed. */
  readonly skipped = { composed: 0, state: 0 };

  constructor(options: SimulatedWatchOptions) {
    this.#options = options;
    this.#policy = options.policy ?? { kind: 'every' };
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

  get idle(): boolean {
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
    if (this.#hasBegun) {
      const { name } = this.#options;
      assert.notEqual(this.#policy.kind, 'every', `${name}: who wants every delta gets one state`);
      assert.ok(seq > this.#seq, `${name}: a state in place of what was missed leads on`);
      this.skipped.state++;
    }
    this.#hasBegun = true;
    this.#root = root;
    this.#seq = seq;
    this.#options.history.copy(this.tokens, hash);
    this.#paced();
  }

  delta(delta: TailDelta): void {
    const { patch, hash } = recordOf(delta);
    this.#step({ fromSeq: delta.seq - 1, seq: delta.seq, patch, hash });
  }

  composed(delta: ComposedDelta): void {
    const { name } = this.#options;
    assert.notEqual(this.#policy.kind, 'every', `${name}: who wants every delta gets each`);
    assert.ok(delta.seq > delta.fromSeq, `${name}: a step leads on`);
    this.#step(delta);
    this.#options.history.copy(this.tokens, delta.hash);
    if (delta.seq > delta.fromSeq + 1) this.skipped.composed++;
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
    this.#node = node;
    this.#lastMs = undefined;
    const isKnown = this.#root !== undefined && this.#chance.below(4) > 0;
    this.begun[isKnown ? 'behindSeq' : 'withState']++;
    this.#floor = history.begin();
    this.#building = undefined;
    this.#hasBegun = isKnown;
    this.#ready = true;
    const life = cluster.lifeOf(node);
    const afterSeq = isKnown ? this.#seq : undefined;
    const only = this.#onlyOf(attempt);
    const policy = this.#policy;
    this.#watch = cluster.engine(node).watch({ space, key, afterSeq, policy }, only);
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
      get idle() {
        return is() && self.idle;
      },
      state: (seq, piece, hash) => void (is() && this.state(seq, piece, hash)),
      delta: (delta) => void (is() && this.delta(delta)),
      composed: (delta) => void (is() && this.composed(delta)),
      flush: () => void (is() && this.flush()),
      end: (why) => void (is() && this.end(why)),
    };
  }

  #step({ fromSeq, seq, patch, hash }: Omit<ComposedDelta, 'encoded'>): void {
    const { name } = this.#options;
    assert.ok(this.#root !== undefined, `${name}: deltas come behind a state`);
    assert.equal(fromSeq, this.#seq, `${name}: no gap and no repeat (CommittedOnly)`);
    this.#root = applyPatch(this.#root, parsePatch(patch, DEPTH));
    assert.equal(hashText(this.#root), hash, `${name}: at ${seq} (StateIsFold)`);
    this.#seq = seq;
    this.#options.history.saw(seq, 0);
    this.#paced();
    this.#maybeStall();
  }

  /** Something came just now: not too soon after what came before. */
  #paced(): void {
    if (this.#policy.kind !== 'perSecond') return;
    const nowMs = this.#options.cluster.monotonicMs(this.#node);
    const leastMs = (1000 / this.#policy.perSecond) * (1 - LATE_PART);
    const passedMs = nowMs - (this.#lastMs ?? Number.NEGATIVE_INFINITY);
    const why = `${this.#options.name}: ${passedMs} ms between two steps, at least ${leastMs}`;
    assert.ok(passedMs > leastMs - 0.001, why);
    this.#lastMs = nowMs;
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
