// A state that comes in pieces, as a sink is given it.

import { PieceBuilder, parsePiece, type Value } from '@deltabase/delta';
import { COMMITTED } from '@deltabase/machine';

export class WholeState {
  #building: PieceBuilder | undefined;

  /** Pieces have come, and the last one has not. */
  get isBegun(): boolean {
    return this.#building !== undefined;
  }

  /** The state once it is whole, which its `hash` says. */
  add(piece: Uint8Array, hash: string | undefined): Value | undefined {
    this.#building ??= new PieceBuilder(COMMITTED);
    this.#building.add(parsePiece(piece, COMMITTED));
    if (hash === undefined) return undefined;
    const root = this.#building.finish();
    this.#building = undefined;
    return root;
  }
}
