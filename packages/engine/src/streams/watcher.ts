// One watch: a document's state at a seq, then every delta after it, without gap or repeat (CommittedOnly).
// It gives its sink as much as that takes and keeps nothing for it: what a slow consumer has not taken yet is
// in the document's tail or on disk, where it is read from when the time comes.

import { assert } from '@deltabase/base';
import { encodePiece, hashText, pieces, type Version } from '@deltabase/delta';
import type { LocalDocument, TailDelta } from '../documents/local-document.js';
import type { StoredDeltas } from '../documents/stored-document.js';
import type { Failure } from '../results.js';

/** Where a watch leads: one client stream, or anything else that takes deltas. */
export interface WatchSink {
  /** Whether it takes more now. If not, it calls `Watch.resume` when it does. */
  readonly ready: boolean;
  /** Part of the state at `seq`; `hash` is set with the last part. */
  state(seq: number, piece: Uint8Array, hash: string | undefined): void;
  delta(delta: TailDelta): void;
  /** All that was given since the last call may leave together. */
  flush(): void;
  /** The watch has ended, and not by being cancelled. */
  end(why: Failure): void;
}

/** What the holder of a sink may do. */
export interface Watch {
  /** The sink takes more again. */
  resume(): void;
  /** Ends the watch; the sink is not used any more. */
  cancel(): void;
}

/** Reads stored deltas from a seq on; a failure ends the watch. */
export type DeltaReader = (
  local: LocalDocument,
  fromSeq: number,
  done: (deltas: StoredDeltas | Failure) => void,
) => void;

export class Watcher {
  readonly #sink: WatchSink;
  readonly #readDeltas: DeltaReader;
  readonly #pieceBytesMax: number;
  local: LocalDocument;
  /** The next seq to give, once the state is given. */
  #nextSeq: number;
  #state: Generator<{ seq: number; piece: Uint8Array; hash: string | undefined }> | undefined;
  /** Deltas read from disk that the sink has not taken yet. */
  #stored: TailDelta[] = [];
  #reading = false;
  #ended = false;

  /** Begins behind `afterSeq`, or with the present state of a document that is in memory. */
  constructor(options: {
    readonly sink: WatchSink;
    readonly local: LocalDocument;
    readonly afterSeq: number | undefined;
    readonly readDeltas: DeltaReader;
    readonly pieceBytesMax: number;
  }) {
    this.#sink = options.sink;
    this.#readDeltas = options.readDeltas;
    this.#pieceBytesMax = options.pieceBytesMax;
    this.local = options.local;
    const version = options.local.document?.committed;
    if (options.afterSeq === undefined) {
      assert(version !== undefined, 'a watch begins with a state in memory');
      this.#state = this.#statePieces(version);
      this.#nextSeq = version.seq + 1;
    } else {
      this.#nextSeq = options.afterSeq + 1;
    }
  }

  /** Gives the sink all that it takes of what there is. */
  pump(): void {
    if (this.#ended) return;
    while (this.#sink.ready && this.#giveNext());
    this.#sink.flush();
  }

  /** Ends it from this side. */
  end(why: Failure | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    if (why !== undefined) this.#sink.end(why);
  }

  /** Gives one thing more; false if there is nothing, or it must be read first. */
  #giveNext(): boolean {
    if (this.#state !== undefined) return this.#givePiece();
    const stored = this.#stored.shift();
    if (stored !== undefined) return this.#give(stored);
    if (this.#nextSeq > this.local.seq) return false;
    const delta = this.local.tailDelta(this.#nextSeq);
    if (delta !== undefined) return this.#give(delta);
    this.#read();
    return false;
  }

  #givePiece(): boolean {
    const next = this.#state!.next();
    if (next.done) {
      this.#state = undefined;
    } else {
      const { seq, piece, hash } = next.value;
      this.#sink.state(seq, piece, hash);
    }
    return true;
  }

  #give(delta: TailDelta): boolean {
    assert(delta.seq === this.#nextSeq, 'a watch has no gap and no repeat (CommittedOnly)');
    this.#nextSeq++;
    this.#sink.delta(delta);
    return true;
  }

  /** The deltas have left memory: they are on disk. */
  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    const fromSeq = this.#nextSeq;
    this.#readDeltas(this.local, fromSeq, (result) => {
      this.#reading = false;
      if (this.#ended) return;
      if ('kind' in result) {
        this.end(result);
        return;
      }
      this.#stored = result.deltas.map((bytes, offset) => ({
        seq: fromSeq + offset,
        bytes,
        record: undefined,
        encoded: undefined,
      }));
      this.pump();
    });
  }

  *#statePieces({ seq, root }: Version): Generator<{
    seq: number;
    piece: Uint8Array;
    hash: string | undefined;
  }> {
    const all = pieces(root, this.#pieceBytesMax);
    let next = all.next();
    while (!next.done) {
      const piece = encodePiece(next.value);
      next = all.next();
      yield { seq, piece, hash: next.done ? hashText(root) : undefined };
    }
  }
}
