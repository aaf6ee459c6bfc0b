// Has live copies take states and deltas of a history.

import assert from 'node:assert/strict';
import { storedDelta } from '../../src/documents/tail.js';
import type { LiveCopy } from '../../src/replica/live-copy.js';
import { statePieces } from '../../src/streams/state-pieces.js';
import type { Step } from './history.js';

/** The whole state that `step` makes. */
export function giveState(copy: LiveCopy, { record: { seq }, root }: Step): void {
  for (const { piece, hash } of statePieces({ seq, root }, 1000)) {
    assert.notEqual(copy.takePiece(seq, piece, hash), 'unfit');
  }
}

/** The delta of `step`, which must follow. */
export function giveDelta(copy: LiveCopy, { record, bytes }: Step): void {
  assert.equal(copy.takeDelta(storedDelta(record.seq, bytes)), 'taken');
}
