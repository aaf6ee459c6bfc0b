// One watch of every delta: a document's state at a seq, then every delta after it, without gap or repeat (CommittedOnly).
// It gives its sink as much as that takes and keeps nothing for it: what a slow consumer has not taken yet is
// in the document's tail or on disk, where it is read from when the time comes.

import { assert } from '@deltabase/base';
import type { TailDelta } from '../documents/tail.js';
import type { Failure } from '../results.js';
import type { ComposedDelta } from './composed-delta.js';
import type { ReadDeltas, StreamedDocument } from './document-source.js';
import type { ProgressMark } from './document-views.js';
import { givePiece, type StatePieces, statePieces } from './state-pieces.js';
import { GIVE_BYTES, Given, RECEIVER_BYTES, type WatchFeed } from './watch-feed.js';

/** Where a watch leads: one client stream, or anything else that takes deltas. */
export interface WatchSink {
  /** Whether it takes more now. If not, it calls `Watch.resume` when it does. */
  readonly ready: boolean;
  /** Whether it has passed on all that it was given. If not, it calls `Watch.resume` when it has. */
  readonly idle: boolean;
  /** How many watches get what it is given; 1 if it does not say. */
  readonly receivers?: number;
  /** Part of the state at `seq`; `hash` is set with the last part. */
  state(seq: number, piece: Uint8Array, hash: string | undefined): void;
  delta(delta: TailDelta): void;
  /**
   * Several deltas in one; never with the policy `every`, unless the watch has pointers: then it is what some did to
   * the view, and fits whatever of it was given last.
   */
  composed(delta: ComposedDelta): void;
  /** Nothing of the view has changed up to this seq; for watches with pointers. */
  progress(mark: ProgressMark): void;
  /** All that was given since the last call may leave together. */
  flush(): void;
  /** The watch has ended, and not by being cancelled. */
  end(why: Failure): void;
}

/** What the holder of a sink may do. */
export interface Watch {
  /** The sink takes more again. */
  resume(): void;
  /** It counts as so many watches from now on, at least one. */
  carry(receivers: number): void;
  /** Ends the watch; the sink is not used any more. */
  cancel(): void;
}

/** Reads stored deltas from a seq on, a part of them; a failure ends the watch. */
export type DeltaReader = (fromSeq: number, done: (read: ReadDeltas | Failure) => void) => void;

export interface WatcherOptions {
  readonly sink: WatchSink;
  readonly local: StreamedDocument;
  /** Begins behind it; `undefined`: with the present state of the document, which is in memory. */
  readonly afterSeq: number | undefined;
  readonly readDeltas: DeltaReader;
  readonly pieceBytesMax: number;
  /** It has something to give: `pump` is to be called soon. */
  readonly hungry: (watcher: WatchFeed) => void;
  /** It cannot go on: `end` is to be called. */
  readonly failed: (why: Failure) => void;
}

export class Watcher implements WatchFeed {
  readonly given = new Given();
  readonly #options: WatcherOptions;
  #local: StreamedDocument;
  /** The next seq to give, once the state is given. */
  #nextSeq: number;
  #state: StatePieces | undefined;
  /** Deltas read from disk, for the present pump. */
  #stored: TailDelta[] = [];
  #reading = false;
  #ended = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#local = options.local;
    const version = options.local.document?.committed;
    if (options.afterSeq === undefined) {
      assert(version !== undefined, 'a watch begins with a state in memory');
      this.#state = statePieces(version, options.pieceBytesMax);
      this.#nextSeq = version.seq + 1;
    } else {
      this.#nextSeq = options.afterSeq + 1;
    }
  }

  get local(): StreamedDocument {
    return this.#local;
  }

  moveTo(local: StreamedDocument): void {
    this.#local = local;
  }

  pump(bytesMax: number): number {
    let bytes = 0;
    while (!this.#ended && bytes < bytesMax && this.#hasMore && this.#options.sink.ready) {
      const given = this.#giveNext();
      if (given === 0) break;
      bytes += given;
    }
    if (this.#ended) return bytes;
    if (bytes >= bytesMax) this.#options.hungry(this);
    // Read again when it is taken: a thousand slow consumers must not hold a page each.
    else if (this.#stored.length > 0) this.#stored = [];
    if (bytes > 0) this.#options.sink.flush();
    return bytes;
  }

  end(why: Failure | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stored = [];
    this.#state = undefined;
    if (why !== undefined) this.#options.sink.end(why);
  }

  get #hasMore(): boolean {
    return this.#nextSeq <= this.#local.seq || this.#state !== undefined || this.#stored.length > 0;
  }

  /** Gives one thing more; 0 if it must be read first. */
  #giveNext(): number {
    if (this.#state !== undefined) return this.#givePiece(this.#state);
    const stored = this.#stored.shift();
    if (stored !== undefined) return this.#give(stored);
    const delta = this.#local.tail.find(this.#nextSeq);
    if (delta !== undefined) return this.#give(delta);
    this.#read();
    return 0;
  }

  #givePiece(state: StatePieces): number {
    const bytes = givePiece(state, this.#options.sink, this.given);
    if (bytes > 0) return bytes;
    this.#state = undefined;
    return GIVE_BYTES;
  }

  #give(delta: TailDelta): number {
    assert(delta.seq === this.#nextSeq, 'a watch has no gap and no repeat (CommittedOnly)');
    this.#nextSeq++;
    const { sink } = this.#options;
    const { receivers = 1 } = sink;
    this.given.add(delta.bytes.length, receivers);
    sink.delta(delta);
    return GIVE_BYTES + delta.bytes.length + RECEIVER_BYTES * (receivers - 1);
  }

  /** The deltas have left memory: they are on disk. */
  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    const fromSeq = this.#nextSeq;
    this.#options.readDeltas(fromSeq, (result) => {
      this.#reading = false;
      if (this.#ended) return;
      if (result.kind === 'failed') {
        this.#options.failed(result);
        return;
      }
      assert(result.deltas.length > 0, 'deltas that have left memory are on disk (StateIsFold)');
      this.#stored = [...result.deltas];
      this.#options.hungry(this);
    });
  }
}
