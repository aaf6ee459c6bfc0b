import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RaftAssertionError } from '../src/assert.js';
import { RaftError } from '../src/errors.js';
import { RaftLog } from '../src/log.js';
import { MemoryStorage } from '../src/memory-storage.js';
import type { Entry } from '../src/types.js';
import { entriesFrom, entry, idsOf, snapshotAt } from './support/entries.js';

/** A log whose first entries are stable and whose others are not. */
function logOf(stable: readonly number[], unstable: readonly number[] = []): RaftLog {
  const storage = new MemoryStorage([1]);
  storage.append(entriesFrom(1, ...stable));
  const log = new RaftLog(storage, 0, Infinity);
  log.append(entriesFrom(stable.length + 1, ...unstable));
  return log;
}

/** A log that begins behind a snapshot at 10, of term 2. */
function compactedLog(...terms: readonly number[]): RaftLog {
  const storage = new MemoryStorage(snapshotAt(10, 2, [1]));
  storage.append(entriesFrom(11, ...terms));
  return new RaftLog(storage, 10, Infinity);
}

function all(log: RaftLog): string {
  return idsOf(log.slice(log.firstIndex, log.lastIndex + 1, Infinity) ?? []);
}

test('the term of an index is known from right before the first entry to the last', () => {
  const log = compactedLog(2, 3);
  log.append([entry(13, 4)]);
  assert.deepEqual(
    [9, 10, 11, 12, 13, 14].map((index) => log.term(index)),
    [undefined, 2, 2, 3, 4, 0],
  );
  assert.deepEqual(log.lastId(), { index: 13, term: 4 });
});

test('a log is up to date by its last term first, and then by its length (§5.4.1)', () => {
  const log = logOf([1, 2, 2]);
  const table: readonly (readonly [term: number, index: number, isUpToDate: boolean])[] = [
    [1, 9, false],
    [2, 2, false],
    [2, 3, true],
    [2, 4, true],
    [3, 1, true],
  ];
  for (const [term, index, isUpToDate] of table) {
    assert.equal(log.isUpToDate({ term, index }), isUpToDate, `${index}/${term}`);
  }
});

test('entries of a leader replace only what conflicts with them (§5.3)', () => {
  const table: readonly (readonly [
    what: string,
    prev: readonly [index: number, term: number],
    terms: readonly number[],
    last: number | undefined,
    after: string,
  ])[] = [
    ['behind the end', [3, 3], [4], 4, '1/1 2/2 3/3 4/4'],
    ['nothing', [3, 3], [], 3, '1/1 2/2 3/3'],
    ['what it has', [1, 1], [2, 3], 3, '1/1 2/2 3/3'],
    ['the beginning of what it has', [0, 0], [1], 1, '1/1 2/2 3/3'],
    ['an older heartbeat of the same', [1, 1], [], 1, '1/1 2/2 3/3'],
    ['a conflict at the end', [2, 2], [4], 3, '1/1 2/2 3/4'],
    ['a conflict in the middle', [1, 1], [4, 4], 3, '1/1 2/4 3/4'],
    ['a shorter log', [1, 1], [4], 2, '1/1 2/4'],
    ['another previous term', [3, 2], [4], undefined, '1/1 2/2 3/3'],
    ['a hole', [4, 4], [5], undefined, '1/1 2/2 3/3'],
  ];
  for (const stableCount of [0, 1, 3]) {
    for (const [what, [index, term], terms, last, after] of table) {
      const log = logOf([1, 2, 3].slice(0, stableCount), [1, 2, 3].slice(stableCount));
      const entries = entriesFrom(index + 1, ...terms);
      assert.equal(log.maybeAppend({ index, term }, entries, 0), last, what);
      assert.equal(all(log), after, what);
    }
  }
});

test('a follower commits what the leader has, but nothing behind the entries that came', () => {
  const log = logOf([], [1, 1, 1, 1, 1]);
  log.maybeAppend({ index: 1, term: 1 }, entriesFrom(2, 1), 5);
  assert.equal(log.committed, 2);
  log.maybeAppend({ index: 3, term: 1 }, [], 2);
  assert.equal(log.committed, 2);
  log.maybeAppend({ index: 5, term: 1 }, [], 9);
  assert.equal(log.committed, 5);
});

test('a committed entry is never replaced (CommittedStays)', () => {
  const log = logOf([1, 1, 1]);
  log.commitTo(2);
  assert.throws(
    () => log.maybeAppend({ index: 1, term: 1 }, entriesFrom(2, 2), 0),
    RaftAssertionError,
  );
  assert.throws(() => log.commitTo(4), RaftAssertionError);
  log.commitTo(1);
  assert.equal(log.committed, 2);
});

test('entries with a hole between them are a defect, not a log', () => {
  const log = logOf([1]);
  const holed = [entry(2, 1), entry(4, 1)];
  assert.throws(() => log.maybeAppend({ index: 1, term: 1 }, holed, 0), RaftAssertionError);
});

test('the hint for a conflict is the last entry whose term is not above the one asked for', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 2 }), { maxLength: 12 }),
      fc.nat({ max: 12 }),
      fc.nat({ max: 12 }),
      (steps, asked, term) => {
        let at = 1;
        const terms = steps.map((step) => {
          at += step;
          return at;
        });
        const log = logOf(terms.slice(0, 3), terms.slice(3));
        const index = Math.min(asked, terms.length);
        // The second algorithm: looks at all of them.
        const fitting = [0, ...terms.slice(0, index)].map((found, i) => [found, i] as const);
        const [foundTerm, foundIndex] = fitting.filter(([found]) => found <= term).at(-1)!;
        assert.deepEqual(log.findConflictByTerm(index, term), {
          index: foundIndex,
          term: foundTerm,
        });
      },
    ),
  );
});

test('the search for a conflict ends where the log is compacted', () => {
  const log = compactedLog(5, 5);
  assert.deepEqual(log.findConflictByTerm(12, 4), { index: 10, term: 2 });
  assert.deepEqual(log.findConflictByTerm(12, 1), { index: 9, term: 0 });
});

test('a slice spans stable and unstable entries, and is limited in bytes but never empty', () => {
  const log = logOf([1, 1, 1], [2, 2, 2]);
  const bytesOfOne = 12;
  const table: readonly (readonly [from: number, to: number, bytesMax: number, ids: string])[] = [
    [1, 7, Infinity, '1/1 2/1 3/1 4/2 5/2 6/2'],
    [3, 5, Infinity, '3/1 4/2'],
    [4, 7, Infinity, '4/2 5/2 6/2'],
    [2, 2, Infinity, ''],
    [1, 7, 0, '1/1'],
    [1, 7, 2 * bytesOfOne, '1/1 2/1'],
    [1, 7, 3 * bytesOfOne - 1, '1/1 2/1'],
    [1, 7, 4 * bytesOfOne, '1/1 2/1 3/1 4/2'],
    [5, 7, 1, '5/2'],
  ];
  for (const [from, to, bytesMax, ids] of table) {
    assert.equal(idsOf(log.slice(from, to, bytesMax)!), ids, `${from} to ${to}`);
  }
  assert.equal(compactedLog(2).slice(10, 12, Infinity), undefined);
  assert.throws(() => log.slice(1, 8, Infinity), RaftAssertionError);
});

test('a storage that cannot read now is asked again, one that gives nothing has failed', () => {
  class Broken extends MemoryStorage {
    answer: () => readonly Entry[] = () => {
      throw new RaftError('Unavailable', 'later');
    };
    override entries(): readonly Entry[] {
      return this.answer();
    }
  }
  const storage = new Broken([1]);
  storage.append(entriesFrom(1, 1, 1));
  const log = new RaftLog(storage, 0, Infinity);
  assert.equal(log.slice(1, 3, Infinity), undefined);
  storage.answer = () => [];
  assert.throws(() => log.slice(1, 3, Infinity), RaftAssertionError);
  storage.answer = () => entriesFrom(2, 1);
  assert.throws(() => log.slice(1, 3, Infinity), RaftAssertionError);
  storage.answer = () => {
    throw new RangeError('a defect of the host');
  };
  assert.throws(() => log.slice(1, 3, Infinity), RangeError);
});

test('committed entries that cannot be read now are not offered again before the next tick', () => {
  let readable = false;
  class Slow extends MemoryStorage {
    override entries(from: number, to: number, bytesMax: number): readonly Entry[] {
      if (!readable) throw new RaftError('Unavailable', 'later');
      return super.entries(from, to, bytesMax);
    }
  }
  const storage = new Slow([1]);
  storage.append(entriesFrom(1, 1, 1));
  const log = new RaftLog(storage, 0, Infinity);
  log.commitTo(2);
  assert.equal(log.hasNextCommitted(false), true);
  assert.deepEqual(log.nextCommitted(false), []);
  assert.equal(log.hasNextCommitted(false), false, 'or a host would spin');
  readable = true;
  log.retryReads();
  assert.equal(idsOf(log.nextCommitted(false)), '1/1 2/1');
});

test('committed entries are handed out page by page, as they are applied (OrderOfLog)', () => {
  const storage = new MemoryStorage([1]);
  storage.append(entriesFrom(1, 1, 1, 1, 1, 1));
  const log = new RaftLog(storage, 0, 24);
  log.commitTo(5);
  const first = log.nextCommitted(false);
  assert.equal(idsOf(first), '1/1 2/1');
  log.acceptApplying(first);
  assert.equal(log.hasNextCommitted(false), false, 'the page is full');
  log.appliedTo(2, 24);
  const second = log.nextCommitted(false);
  assert.equal(idsOf(second), '3/1 4/1');
  log.acceptApplying(second);
  assert.throws(() => log.appliedTo(5, 0), RaftAssertionError, 'it was not handed out');
  log.appliedTo(4, 24);
  assert.throws(() => log.appliedTo(3, 0), RaftAssertionError, 'applied never goes back');
  assert.equal(idsOf(log.nextCommitted(false)), '5/1');
});

test('entries that are not stable yet are handed out only if that is wanted', () => {
  const log = logOf([1, 1], [1, 1]);
  log.commitTo(4);
  assert.equal(idsOf(log.nextCommitted(true)), '1/1 2/1');
  assert.equal(idsOf(log.nextCommitted(false)), '1/1 2/1 3/1 4/1');
});

test('nothing is handed out while a snapshot is on its way to the disk', () => {
  const log = logOf([1, 1]);
  log.commitTo(2);
  log.restore(snapshotAt(9, 3, [1]));
  assert.deepEqual([log.committed, log.firstIndex, log.lastIndex], [9, 10, 9]);
  assert.equal(log.hasNextCommitted(false), false);
  log.stableSnapshotTo(9);
  assert.equal(log.applied, 9);
  assert.throws(() => log.restore(snapshotAt(9, 3, [1])), RaftAssertionError);
});

test('an unapplied entry is found however large the log is', () => {
  const storage = new MemoryStorage([1]);
  const count = 200_000;
  const entries = Array.from({ length: count }, (_, at) => entry(at + 1, 1));
  storage.append([...entries.slice(0, -1), { ...entries.at(-1)!, type: 'confChange' }]);
  const log = new RaftLog(storage, 0, Infinity);
  const isChange = (found: Entry) => found.type === 'confChange';
  log.commitTo(count - 1);
  assert.equal(log.someUnapplied(isChange), false);
  log.commitTo(count);
  assert.equal(log.someUnapplied(isChange), true);
});
