import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RaftAssertionError } from '../src/assert.js';
import { isRaftError, type RaftErrorCode } from '../src/errors.js';
import { MemoryStorage } from '../src/memory-storage.js';
import { conf, entriesFrom, idsOf, NO_DATA, snapshotAt } from './support/entries.js';

/** Entries 4 to 6, of terms 4 to 6, behind a snapshot at 3. */
function storage(): MemoryStorage {
  const made = new MemoryStorage(snapshotAt(3, 3, [1, 2]));
  made.append(entriesFrom(4, 4, 5, 6));
  return made;
}

function assertCode(code: RaftErrorCode, read: () => unknown): void {
  assert.throws(read, (thrown) => isRaftError(thrown, code));
}

test('a new storage is empty and knows its voters', () => {
  const fresh = new MemoryStorage([3, 1, 2]);
  assert.deepEqual([fresh.firstIndex(), fresh.lastIndex(), fresh.term(0)], [1, 0, 0]);
  assert.deepEqual(fresh.initialState(), {
    hardState: { term: 0, vote: 0, commit: 0 },
    confState: conf({ voters: [1, 2, 3] }),
  });
});

test('a storage that begins at a snapshot has its term and commit index', () => {
  const { hardState, confState } = storage().initialState();
  assert.deepEqual(hardState, { term: 3, vote: 0, commit: 3 });
  assert.deepEqual(confState.voters, [1, 2]);
});

test('the hard state is the last that was stored', () => {
  const made = storage();
  made.setHardState({ term: 7, vote: 2, commit: 5 });
  assert.deepEqual(made.initialState().hardState, { term: 7, vote: 2, commit: 5 });
});

test('entries are read within the log, and as many as their bytes allow', () => {
  const made = storage();
  assert.equal(idsOf(made.entries(4, 7, Infinity)), '4/4 5/5 6/6');
  assert.equal(idsOf(made.entries(5, 7, 1)), '5/5');
  assertCode('Compacted', () => made.entries(3, 5, Infinity));
  assertCode('Unavailable', () => made.entries(4, 8, Infinity));
});

test('a term is known from right before the first entry to the last', () => {
  const made = storage();
  assert.deepEqual(
    [3, 4, 6].map((index) => made.term(index)),
    [3, 4, 6],
  );
  assertCode('Compacted', () => made.term(2));
  assertCode('Unavailable', () => made.term(7));
});

test('appended entries replace what stands in their place and after it', () => {
  const made = storage();
  made.append(entriesFrom(5, 9));
  assert.equal(idsOf(made.entries(4, 6, Infinity)), '4/4 5/9');
  made.append(entriesFrom(2, 7, 7, 7));
  assert.equal(idsOf(made.entries(4, 5, Infinity)), '4/7', 'what is compacted is passed over');
  made.append(entriesFrom(1, 8));
  made.append([]);
  assert.equal(made.lastIndex(), 4);
  assert.throws(() => made.append(entriesFrom(6, 9)), RaftAssertionError);
});

test('compaction keeps the term before the first entry', () => {
  const made = storage();
  assert.throws(() => made.compact(5), RaftAssertionError, 'no snapshot has it');
  made.createSnapshot(5, conf({ voters: [1] }), NO_DATA);
  made.compact(5);
  assert.deepEqual([made.firstIndex(), made.term(5), made.lastIndex()], [6, 5, 6]);
  assertCode('Compacted', () => made.compact(5));
});

test('a snapshot is taken of an entry in the log, and never of an older state', () => {
  const made = storage();
  made.createSnapshot(5, conf({ voters: [1] }), NO_DATA);
  assert.deepEqual([made.snapshot().index, made.snapshot().term], [5, 5]);
  assertCode('SnapshotOutOfDate', () => made.createSnapshot(5, conf({ voters: [1] }), NO_DATA));
  assertCode('Unavailable', () => made.createSnapshot(7, conf({ voters: [1] }), NO_DATA));
});

test('a snapshot of the leader replaces everything, unless it is old', () => {
  const made = storage();
  assertCode('SnapshotOutOfDate', () => made.applySnapshot(snapshotAt(3, 3, [1])));
  made.applySnapshot(snapshotAt(20, 8, [7]));
  assert.deepEqual([made.firstIndex(), made.lastIndex(), made.term(20)], [21, 20, 8]);
  assert.deepEqual(made.initialState().confState.voters, [7]);
});
