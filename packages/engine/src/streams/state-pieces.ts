// A document's state as a watch gives it: piece by piece, the hash of the whole with the last.

import { encodePiece, hashText, pieces, type Version } from '@deltabase/delta';
import { GIVE_BYTES, type Given } from './watch-feed.js';
import type { WatchSink } from './watcher.js';

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

/** Gives a piece more; the last one counts as an event. Returns what that took; 0: all were given before. */
export function givePiece(state: StatePieces, sink: WatchSink, given: Given): number {
  const next = state.next();
  if (next.done) return 0;
  const { seq, piece, hash } = next.value;
  given.bytes += piece.length;
  if (hash !== undefined) given.events++;
  sink.state(seq, piece, hash);
  return GIVE_BYTES + piece.length;
}
