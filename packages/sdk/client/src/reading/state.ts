// A document's state from the pieces in which a watch brings it. Invariant StateIsFold: the whole is held
// against the hash that comes with the last piece.

import { DeltabaseError } from '@deltabase/base';
import { hashText, PieceBuilder, parsePiece, type Value } from '@deltabase/delta';
import type { WireStatePiece } from '../transport/wire.js';

/** A document at a seq. */
export interface State {
  readonly seq: number;
  readonly hash: string;
  readonly root: Value;
}

/** Puts the pieces of one state together. */
export class StateBuilder {
  #builder = new PieceBuilder();

  /** Adds the next piece; the state once it was the last. Throws DATA_CORRUPT if they do not fit. */
  add({ seq, piece, last, hash }: WireStatePiece): State | undefined {
    this.#builder.add(parsePiece(piece));
    if (!last) return undefined;
    const root = this.#builder.finish();
    this.#builder = new PieceBuilder();
    if (hash !== hashText(root)) {
      const why = `the state at seq ${seq} does not have the hash that the node gave: report this`;
      throw new DeltabaseError('DATA_CORRUPT', why, { details: { seq } });
    }
    return { seq, hash, root };
  }
}
