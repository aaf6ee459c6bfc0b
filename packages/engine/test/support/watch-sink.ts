// A sink of a watch that takes as much as a test allows, and keeps what it got.

import { hashText, PieceBuilder, parsePiece } from '@deltabase/delta';
import type { TailDelta } from '../../src/documents/tail.js';
import type { Failure } from '../../src/results.js';
import type { ComposedDelta } from '../../src/streams/composed-delta.js';
import type { Watch, WatchSink } from '../../src/streams/watcher.js';

const DEPTH = { depthMax: 64 };

export class KeepingSink implements WatchSink {
  /** How many things more it takes. */
  room = Number.POSITIVE_INFINITY;
  /** Whole states by their seq, deltas, and steps of several: `state 3`, `4`, `4-7`. */
  readonly got: string[] = [];
  ended: Failure | undefined;
  /** What it is the sink of. */
  watch: Watch | undefined;
  #building: PieceBuilder | undefined;

  get ready(): boolean {
    return this.room > 0;
  }

  get idle(): boolean {
    return this.room > 0;
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.room--;
    this.#building ??= new PieceBuilder(DEPTH);
    this.#building.add(parsePiece(piece, DEPTH));
    if (hash === undefined) return;
    const isRight = hashText(this.#building.finish()) === hash;
    this.got.push(isRight ? `state ${seq}` : `state ${seq} of another hash`);
    this.#building = undefined;
  }

  delta({ seq }: TailDelta): void {
    this.room--;
    this.got.push(String(seq));
  }

  composed({ fromSeq, seq }: ComposedDelta): void {
    this.room--;
    this.got.push(`${fromSeq}-${seq}`);
  }

  progress(): void {
    throw new Error('only views give marks');
  }

  flush(): void {}

  end(why: Failure): void {
    this.ended = why;
  }
}
