// A document's state as a watch gives it: piece by piece, the hash of the whole with the last.

import { encodePiece, hashText, pieces, type Version } from '@deltabase/delta';

export interface StatePiece {
  readonly seq: number;
  readonly piece: Uint8Array;
  /** Of the whole state; with its last piece. */
  readonly hash: string | undefined;
}

export type StatePieces = Generator<StatePiece, void, void>;

/** The pieces of a version, of about `pieceBytesMax` bytes each. */
export function* statePieces({ seq, root }: Version, pieceBytesMax: number): StatePieces {
  const all = pieces(root, pieceBytesMax);
  let next = all.next();
  while (!next.done) {
    const piece = encodePiece(next.value);
    next = all.next();
    yield { seq, piece, hash: next.done ? hashText(root) : undefined };
  }
}
