import assert from 'node:assert/strict';
import { test } from 'node:test';
import { votersOnly } from 'raft-ts';
import { entryKey, groupKey, hardStateKey, NODE_KEY, peerKey } from '../../src/storage/keys.js';
import { readRaftRow } from '../../src/storage/raft-row.js';
import { encodeEntry, encodeGroupRow, encodeHardState } from '../../src/storage/rows.js';

test("a row of Raft's is read by its key, whether it is there or gone", () => {
  const entry = { type: 'normal', index: 7, term: 2, data: Uint8Array.of(1) } as const;
  const hardState = { term: 3, vote: 2, commit: 6 };
  const row = {
    generation: 1,
    log: 0,
    flushedIndex: 5,
    flushedTerm: 2,
    confState: votersOnly([1]),
    time: 9,
  };
  assert.deepEqual(readRaftRow(entryKey(4, 7), encodeEntry(entry)), {
    kind: 'entry',
    group: 4,
    log: 0,
    index: 7,
    entry,
  });
  assert.deepEqual(readRaftRow(entryKey(4, 7), undefined), {
    kind: 'entry',
    group: 4,
    log: 0,
    index: 7,
    entry: undefined,
  });
  assert.deepEqual(readRaftRow(hardStateKey(4), encodeHardState(hardState)), {
    kind: 'hardState',
    group: 4,
    hardState,
  });
  assert.deepEqual(readRaftRow(groupKey(4), encodeGroupRow(row)), { kind: 'group', group: 4, row });
  assert.equal(readRaftRow(NODE_KEY, Uint8Array.of(1)), undefined);
  assert.equal(readRaftRow(peerKey(2), Uint8Array.of(1)), undefined);
});
