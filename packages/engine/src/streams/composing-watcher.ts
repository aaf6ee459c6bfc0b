// One watch that skips what it may: the document's state at a seq, then steps to the newest committed state, each
// a delta or several of them composed, without gap or repeat (CommittedOnly). Whoever keeps up gets the deltas
// themselves. For whoever lags one earlier version is held, from which one patch leads to the newest state
// whatever happened between; if there is no room for it (held-versions.ts), or it was never here, the deltas
// that were missed are composed, and if they are more than the state, the state is given anew. So neither
// memory nor work grows with how far a watch is behind (docs/decisions/0013).

import { assert, type Limits } from '@deltabase/base';
import { bytesOf, type Value, type Version } from '@deltabase/delta';
import type { Failure } from '../results.js';
import type { ComposeRequest, StoredComposition } from './compose-stored.js';
import {
  type ComposedDelta,
  type Composition,
  composableBytes,
  composeDeltas,
  composedDelta,
  deltasOf,
  differenceOf,
} from './composed-delta.js';
import type { StreamedDocument } from './document-source.js';
import type { HeldVersions, VersionHolder } from './held-versions.js';
import { Pace } from './pace.js';
import { givePiece, type StatePieces, statePieces } from './state-pieces.js';
import type { TurnCache } from './turn-cache.js';
import { COMPARE_BYTES, COMPARE_PART, GIVE_BYTES, Given, type WatchFeed } from './watch-feed.js';
import type { WatchSink } from './watcher.js';

/** Composes stored deltas; a failure ends the watch. */
export type StoredComposer = (
  request: ComposeRequest,
  done: (composed: StoredComposition | Failure) => void,
) => void;

export interface ComposingWatcherOptions {
  readonly sink: WatchSink;
  /** Its state is in memory. */
  readonly local: StreamedDocument;
  /** Begins behind it; `undefined`: with the present state of the document. */
  readonly afterSeq: number | undefined;
  /** At most so many events a second; `undefined`: as many as the sink takes. */
  readonly perSecond: number | undefined;
  readonly limits: Pick<Limits, 'pieceBytesMax' | 'composedBytesMax'>;
  readonly versions: HeldVersions;
  /** What was made in this turn. */
  readonly compositions: TurnCache<StreamedDocument, ComposedDelta | undefined>;
  readonly composeStored: StoredComposer;
  nowMs(): number;
  /** It has something to give: `pump` is to be called soon. */
  readonly hungry: (watcher: WatchFeed) => void;
  /** It has something to give at `dueMs`, not before: `pump` is to be called then. */
  readonly waits: (dueMs: number) => void;
  /** It cannot go on: `end` is to be called. */
  readonly failed: (why: Failure) => void;
}

export class ComposingWatcher implements WatchFeed, VersionHolder {
  readonly given = new Given();
  readonly #options: ComposingWatcherOptions;
  readonly #pace: Pace;
  #local: StreamedDocument;
  /** How far its receiver is, or is once it has the state that is being given. */
  #seq: number;
  /** The state there, while it is at hand. */
  #root: Value | undefined;
  /** The state there is not the document's any more, and counted. */
  #isHeld = false;
  /** What had been applied to the document then, bytes. */
  #appliedBytes: number;
  #pieces: StatePieces | undefined;
  #isComposing = false;
  /** Composed from disk, to be given now or never. */
  #stored: StoredComposition | undefined;
  #ended = false;

  constructor(options: ComposingWatcherOptions) {
    const { local, afterSeq, perSecond, limits } = options;
    const version = local.document?.committed;
    assert(version !== undefined, 'a watch begins with a state in memory');
    this.#options = options;
    this.#local = local;
    this.#pace = new Pace(perSecond);
    this.#appliedBytes = local.appliedBytes;
    this.#seq = afterSeq ?? version.seq;
    if (this.#seq === version.seq) this.#root = version.root;
    // Before its first delta every document is null.
    else if (this.#seq === 0) this.#root = null;
    if (afterSeq === undefined) this.#pieces = statePieces(version, limits.pieceBytesMax);
  }

  get local(): StreamedDocument {
    return this.#local;
  }

  moveTo(local: StreamedDocument): void {
    this.#local = local;
    // How much was applied since is not known.
    this.#appliedBytes = Number.NEGATIVE_INFINITY;
  }

  pump(bytesMax: number): number {
    let bytes = 0;
    while (!this.#ended && bytes < bytesMax) {
      const given = this.#giveNext();
      if (given === 0) break;
      bytes += given;
    }
    if (this.#ended) return bytes;
    if (bytes >= bytesMax) this.#options.hungry(this);
    if (bytes > 0) this.#options.sink.flush();
    return bytes;
  }

  end(why: Failure | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
    this.#root = undefined;
    this.#pieces = undefined;
    this.#stored = undefined;
    if (why !== undefined) this.#options.sink.end(why);
  }

  letGo(): void {
    this.#isHeld = false;
    this.#root = undefined;
  }

  /** Gives one thing more; 0 if there is nothing, it may not be given yet, or must be read first. */
  #giveNext(): number {
    const { sink } = this.#options;
    if (this.#pieces !== undefined) return sink.ready ? this.#givePiece(this.#pieces) : 0;
    const version = this.#local.document?.committed;
    if (version === undefined || version.seq <= this.#seq) return 0;
    if (this.#mayGive()) return this.#giveNews(version);
    this.#lag();
    return 0;
  }

  #mayGive(): boolean {
    return this.#options.sink.idle && this.#pace.mayGive(this.#options);
  }

  /** Falls behind the document: nothing is kept but the version to go on from, if there is room for it. */
  #lag(): void {
    this.#stored = undefined;
    if (this.#root === undefined || this.#isHeld) return;
    this.#isHeld = this.#options.versions.hold(this.#root, this);
    if (!this.#isHeld) this.#root = undefined;
  }

  #givePiece(pieces: StatePieces): number {
    const bytes = givePiece(pieces, this.#options.sink, this.given);
    if (bytes > 0) return bytes;
    this.#pieces = undefined;
    this.#pace.given(this.#options.nowMs());
    return GIVE_BYTES;
  }

  #giveNews(version: Version): number {
    const only = version.seq === this.#seq + 1 ? this.#local.tail.find(version.seq) : undefined;
    if (only !== undefined) {
      this.#options.sink.delta(only);
      this.given.add(only.bytes.length);
      this.#gave(version.seq, version);
      return GIVE_BYTES + only.bytes.length;
    }
    if (this.#stored !== undefined) return this.#giveStored(this.#stored, version);
    if (this.#root !== undefined) return this.#giveDifference(this.#root, version);
    const missed = this.#missed(version, this.#seq, 0);
    if (missed === 'many') return this.#beginState(version);
    if (missed !== 'gone') {
      const bytes = missed.reduce((sum, delta) => sum + delta.bytes.length, 0);
      const make = () => this.#shared(composeDeltas(undefined, missed));
      return this.#giveFound(version, bytes, make);
    }
    this.#compose(version);
    return 0;
  }

  #missed({ seq, root }: Version, fromSeq: number, bytes: number): ReturnType<typeof deltasOf> {
    const bytesMax = this.#composableBytes(root) - bytes;
    return deltasOf(this.#local.tail, { fromSeq, seq, bytesMax });
  }

  #composableBytes(root: Value): number {
    return composableBytes(root, this.#options.limits.composedBytesMax);
  }

  #giveDifference(root: Value, to: Version): number {
    const { composedBytesMax: bytesMax } = this.#options.limits;
    const applied = this.#local.appliedBytes - this.#appliedBytes;
    const rewrittenBytes = Math.min(applied, bytesOf(to.root));
    const cost = COMPARE_BYTES + rewrittenBytes * COMPARE_PART;
    const from: Version = { seq: this.#seq, root };
    return this.#giveFound(to, cost, () => differenceOf(from, to, { rewrittenBytes, bytesMax }));
  }

  #shared(composition: Composition): ComposedDelta | undefined {
    return composedDelta(this.#seq, composition, this.#options.limits.composedBytesMax);
  }

  /** Gives what leads to `version`, as another watch had it made in this turn, or as it is made now for `cost`. */
  #giveFound(version: Version, cost: number, make: () => ComposedDelta | undefined): number {
    let spent = 0;
    const found = this.#options.compositions.find(this.#local, this.#seq, () => {
      spent = cost;
      return make();
    });
    if (found === undefined) return spent + this.#beginState(version);
    return spent + this.#giveComposed(found, version);
  }

  #giveComposed(composed: ComposedDelta, version: Version): number {
    assert(composed.fromSeq === this.#seq, 'a watch has no gap and no repeat (CommittedOnly)');
    assert(composed.seq > this.#seq && composed.seq <= version.seq, 'a step leads on');
    this.#options.sink.composed(composed);
    this.given.add(composed.patch.length);
    this.#gave(composed.seq, version);
    return GIVE_BYTES + composed.patch.length;
  }

  /** More was missed than the state has: it is given anew. */
  #beginState(version: Version): number {
    this.#gave(version.seq, version);
    this.#pieces = statePieces(version, this.#options.limits.pieceBytesMax);
    return GIVE_BYTES;
  }

  /** The receiver is at `seq` now, and the document at `version`. */
  #gave(seq: number, version: Version): void {
    this.#release();
    this.#stored = undefined;
    this.#seq = seq;
    this.#root = seq === version.seq ? version.root : undefined;
    this.#appliedBytes = this.#local.appliedBytes;
    this.#pace.given(this.#options.nowMs());
  }

  #release(): void {
    if (!this.#isHeld || this.#root === undefined) return;
    this.#isHeld = false;
    this.#options.versions.release(this.#root, this);
  }

  /** The deltas that were missed have left memory: they are on disk. */
  #compose(version: Version): void {
    if (this.#isComposing) return;
    this.#isComposing = true;
    const bytesMax = this.#composableBytes(version.root);
    const request: ComposeRequest = { fromSeq: this.#seq, seq: version.seq, bytesMax };
    this.#options.composeStored(request, (composed) => {
      this.#isComposing = false;
      if (this.#ended) return;
      if (composed.kind === 'failed') {
        this.#options.failed(composed);
        return;
      }
      // Something else may have led on meanwhile, where another document took the place of this one.
      if (request.fromSeq === this.#seq) this.#stored = composed;
      this.#options.hungry(this);
    });
  }

  /** Gives what was composed from disk, and what has come into the tail since. */
  #giveStored({ composition }: StoredComposition, version: Version): number {
    if (composition === undefined) return this.#beginState(version);
    const { seq, bytes } = composition;
    const missed = this.#missed(version, seq, bytes);
    if (missed === 'many') return this.#beginState(version);
    const isMore = missed !== 'gone' && missed.length > 0;
    const composed = this.#shared(isMore ? composeDeltas(composition, missed) : composition);
    return composed === undefined
      ? this.#beginState(version)
      : this.#giveComposed(composed, version);
  }
}
