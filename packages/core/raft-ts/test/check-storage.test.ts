import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRaftError } from '../src/errors.js';
import { RawNode } from '../src/raw-node.js';
import type { Storage } from '../src/storage.js';
import type { ConfState, HardState } from '../src/types.js';
import { conf } from './support/entries.js';

interface Stored {
  readonly hardState: Partial<HardState>;
  readonly confState: ConfState;
  readonly compacted: number;
  readonly last: number;
  readonly lastTerm: number;
  readonly applied: number;
}

const SOUND: Stored = {
  hardState: { commit: 15 },
  confState: conf({ voters: [1, 2, 3] }),
  compacted: 10,
  last: 20,
  lastTerm: 4,
  applied: 12,
};

function startOn(stored: Stored): RawNode {
  const { compacted, last, lastTerm, confState } = stored;
  const hardState = { term: 4, vote: 0, commit: 0, ...stored.hardState };
  const storage: Storage = {
    initialState: () => ({ hardState, confState }),
    firstIndex: () => compacted + 1,
    lastIndex: () => last,
    term: () => lastTerm,
    entries: () => [],
    snapshot: () => assert.fail('nobody asked for it'),
  };
  const random = () => 0;
  const { applied } = stored;
  return new RawNode({ id: 1, storage, applied, random, electionTicks: 10, heartbeatTicks: 1 });
}

test('a replica starts where its storage says', () => {
  const { term, commit, applied, firstIndex, lastIndex, role } = startOn(SOUND).basicStatus();
  assert.deepEqual([term, commit, applied, firstIndex, lastIndex], [4, 15, 12, 11, 20]);
  assert.equal(role, 'follower');
});

test('what was applied and what is compacted was committed, whatever the hard state says', () => {
  const { commit } = startOn({ ...SOUND, hardState: { commit: 3 } }).basicStatus();
  assert.equal(commit, 12);
  const behind = startOn({ ...SOUND, hardState: { commit: 3 }, applied: 0 }).basicStatus();
  assert.deepEqual([behind.commit, behind.applied], [10, 10]);
});

test('a storage that contradicts itself is refused (pitfall 6)', () => {
  const wrong: readonly (readonly [RegExp, Partial<Stored>])[] = [
    [/21 was committed and the log ends at 20/, { hardState: { commit: 21 } }],
    [/21 was applied and the log ends at 20/, { applied: 21 }],
    [/entries from 10 to 10 are gone/, { applied: 9 }],
    [/the term is 3 and the log has entries of 4/, { hardState: { term: 3 } }],
    [/ends at 9, before it begins/, { last: 9 }],
    [/does not vote/, { confState: conf({ voters: [1, 2], learners: [2] }) }],
  ];
  for (const [message, parts] of wrong) {
    assert.throws(
      () => startOn({ ...SOUND, ...parts }),
      (thrown: Error) => isRaftError(thrown, 'StorageInvalid') && message.test(thrown.message),
      String(message),
    );
  }
});
