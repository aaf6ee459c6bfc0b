// A watcher of a document of tokens that never misses anything: it folds every step it is given, be that a delta or
// several in one, holds the hash against its own and the history's, and goes on where it was at another node or replica
// when its own ends, gives it up, or as it likes (CommittedOnly, StateIsFold). It also sees that steps come no faster
// than it asked for. It may watch some positions only: then nothing of these may be hidden from it at the seq that it is
// told (view-sight.ts).

import assert from 'node:assert/strict';
import type { Prng } from '@deltabase/base';
import {
  applyPatch,
  fromJson,
  hashText,
  type Json,
  PieceBuilder,
  parsePatch,
  parsePiece,
  toJson,
  type Value,
} from '@deltabase/delta';
import {
  type ComposedDelta,
  type Failure,
  type ProgressMark,
  recordOf,
  type TailDelta,
  type Watch,
  type WatchPolicy,
  type WatchSink,
} from '@deltabase/engine';
import type { Freshness, Question } from '../check/freshness.js';
import type { TokenHistory } from '../check/token-history.js';
import type { Cluster } from './cluster.js';
import { pickServer, type Server } from './server.js';
import { ViewSight } from './view-sight.js';

export interface SimulatedWatchOptions {
  readonly cluster: Cluster;
  readonly name: string;
  readonly space: string;
  readonly key: string;
  readonly history: TokenHistory;
  readonly freshness: Freshness;
  /** Takes nothing now and then, for up to so long. */
  readonly stallMsMax?: number;
  /** `every` by default. */
  readonly policy?: WatchPolicy;
  /** Watches what is at these positions; by default the whole document. */
  readonly positions?: readonly number[];
  /** Goes elsewhere of its own accord so often, on average, ms. */
  readonly moveMs?: number | undefined;
  /** Told of each attempt. */
  readonly went?: (from: Server['kind'] | undefined, to: Server['kind']) => void;
}

const AGAIN_MS = 100;
const DEPTH = { depthMax: 64 };
/** How much sooner than after its interval a step may come, when the one before was late. */
const LATE_PART = 0.25;
/** A step that adds one element, with padding, has less. */
const STEP_BYTES = 1000;

export class SimulatedWatch implements Omit<WatchSink, 'end'> {
  readonly #options: SimulatedWatchOptions;
  readonly #chance: Prng;
  readonly #policy: WatchPolicy;
  readonly #sight: ViewSight | undefined;
  /** Where it watches, or did last. */
  #server: Server | undefined;
  #question: Question | undefined;
  /** The history behind its seq was not to be had: it begins with a state. */
  #mustBegin = false;
  /** When the last step of this attempt came, by the clock of the process. */
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
  /** Marks of how far nothing had changed, of watches of some positions. */
  marks = 0;

  constructor(options: SimulatedWatchOptions) {
    this.#options = options;
    this.#policy = options.policy ?? { kind: 'every' };
    const { name, positions = [], history } = options;
    if (positions.length > 0) this.#sight = new ViewSight(name, positions, history);
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

  /** Whether it watches some positions only. */
  get isOfView(): boolean {
    return this.#sight !== undefined;
  }

  /** In the end: it holds what it should of this list. */
  end(elements: readonly unknown[]): void {
    if (this.#sight === undefined) assert.deepEqual(this.#tokens, elements);
    else this.#sight.end(this.#root!, fromJson(elements as Json));
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
    this.#options.freshness.checkState(this.#question!, seq);
    if (this.#hasBegun) {
      const { name } = this.#options;
      const mayBeAnew = this.#policy.kind !== 'every' || this.#isStepTooLarge;
      assert.ok(mayBeAnew, `${name}: who wants every delta gets one state`);
      assert.ok(seq > this.#seq, `${name}: a state in place of what was missed leads on`);
      this.skipped.state++;
    }
    this.#hasBegun = true;
    this.#root = root;
    this.#seq = seq;
    if (this.#sight === undefined) this.#options.history.copy(this.#tokens, hash);
    else this.#sight.look(seq, root);
    this.#paced();
  }

  delta(delta: TailDelta): void {
    assert.ok(this.#sight === undefined, `${this.#options.name}: of a view come no deltas`);
    const { seq } = delta;
    assert.equal(seq, this.#seq + 1, `${this.#options.name}: no gap and no repeat (CommittedOnly)`);
    const { patch, hash } = recordOf(delta);
    this.#step({ seq, patch, hash });
  }

  composed(delta: ComposedDelta): void {
    const { name } = this.#options;
    assert.ok(delta.seq > delta.fromSeq, `${name}: a step leads on`);
    if (this.#sight !== undefined) {
      this.#viewStep(this.#sight, delta);
      return;
    }
    assert.notEqual(this.#policy.kind, 'every', `${name}: who wants every delta gets each`);
    assert.equal(delta.fromSeq, this.#seq, `${name}: no gap and no repeat (CommittedOnly)`);
    this.#step(delta);
    this.#options.history.copy(this.#tokens, delta.hash);
    if (delta.seq > delta.fromSeq + 1) this.skipped.composed++;
  }

  progress({ seq }: ProgressMark): void {
    const { name, history } = this.#options;
    assert.ok(this.#sight !== undefined, `${name}: a whole document is not marked`);
    assert.ok(seq > this.#seq, `${name}: a mark leads on`);
    this.#seq = seq;
    this.marks++;
    this.#sight.look(seq, this.#root!);
    history.saw(seq, 0);
    this.#paced();
  }

  flush(): void {
    if (this.#sight === undefined) this.#options.history.copy(this.#tokens);
  }

  /** Of a view even a step of one element may be more than a patch may have. */
  get #isStepTooLarge(): boolean {
    return this.#sight !== undefined && this.#server!.limits.composedBytesMax <= STEP_BYTES;
  }

  get #tokens(): unknown[] {
    return this.#root === undefined || this.#root === null ? [] : (toJson(this.#root) as unknown[]);
  }

  #ended({ code, message }: Failure): void {
    // Whoever has seen a seq asks for what is behind it: everywhere there is as much, or the history is not kept.
    assert.notEqual(code, 'INVALID_ARGUMENT', `${this.#options.name}: ${message}`);
    this.#mustBegin = code === 'HISTORY_GONE';
    this.#attempt++;
    this.#later(AGAIN_MS, () => this.#begin());
  }

  #begin(): void {
    const { cluster, space, key, history, freshness, went } = this.#options;
    const attempt = ++this.#attempt;
    const server = pickServer(cluster.servers(), this.#chance);
    if (server === undefined) {
      this.#later(AGAIN_MS, () => this.#begin());
      return;
    }
    const isKnown = this.#root !== undefined && !this.#mustBegin && this.#chance.below(4) > 0;
    went?.(isKnown ? this.#server?.kind : undefined, server.kind);
    this.#server = server;
    this.#lastMs = undefined;
    this.#mustBegin = false;
    this.begun[isKnown ? 'behindSeq' : 'withState']++;
    this.#floor = history.begin();
    this.#question = freshness.ask(server, space, key);
    this.#building = undefined;
    this.#hasBegun = isKnown;
    this.#ready = true;
    const afterSeq = isKnown ? this.#seq : undefined;
    const only = this.#onlyOf(attempt);
    const request = { space, key, afterSeq, policy: this.#policy };
    const pointers = this.#sight?.pointers ?? [];
    this.#watch = server.streams.watch({ pointers, ...request }, only);
    const look = (): void => {
      if (this.#attempt !== attempt) return;
      if (server.isGone) this.#begin();
      else this.#later(AGAIN_MS, look);
    };
    look();
    this.#moveLater(attempt);
  }

  /** Goes elsewhere after a while, as whoever is told of a copy that is less busy. */
  #moveLater(attempt: number): void {
    const { moveMs } = this.#options;
    if (moveMs === undefined) return;
    this.#later(this.#chance.fraction() * 2 * moveMs, () => {
      if (this.#attempt !== attempt) return;
      this.#watch?.cancel();
      this.#begin();
    });
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
      progress: (mark) => void (is() && this.progress(mark)),
      flush: () => void (is() && this.flush()),
      end: (why) => void (is() && this.#ended(why)),
    };
  }

  #viewStep(sight: ViewSight, delta: ComposedDelta): void {
    const { name } = this.#options;
    const { fromSeq, seq } = delta;
    assert.ok(fromSeq <= this.#seq, `${name}: no gap (CommittedOnly)`);
    assert.ok(seq > this.#seq, `${name}: no repeat (CommittedOnly)`);
    if (this.#policy.kind === 'every') sight.lookAtStep(fromSeq, seq);
    this.#step(delta);
    sight.look(seq, this.#root!);
  }

  #step({ seq, patch, hash }: Pick<ComposedDelta, 'seq' | 'patch' | 'hash'>): void {
    const { name } = this.#options;
    assert.ok(this.#root !== undefined, `${name}: deltas come behind a state`);
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
    const nowMs = this.#server!.clock.monotonicMs;
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
