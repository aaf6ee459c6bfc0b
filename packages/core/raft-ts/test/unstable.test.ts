import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RaftAssertionError } from '../src/assert.js';
import { Unstable } from '../src/unstable.js';
import { entriesFrom, entry, idsOf, snapshotAt } from './support/entries.js';

/** Entries of `terms` from index 5 on, behind a stable log. */
function unstableOf(...terms: readonly number[]): Unstable {
  const unstable = new Unstable(5);
  if (terms.length > 0) unstable.truncateAndAppend(entriesFrom(5, ...terms));
  return unstable;
}

test('an empty tail knows nothing', () => {
  const unstable = unstableOf();
  assert.equal(unstable.lastIndex, undefined);
  assert.equal(unstable.firstIndex, undefined);
  assert.equal(unstable.term(4), undefined);
  assert.equal(unstable.term(5), undefined);
  assert.equal(unstable.hasNextEntries, false);
});

test('entries are appended, or replace what stands in their place and after it', () => {
  const table: readonly (readonly [from: number, terms: number[], offset: number, all: string])[] =
    [
      [7, [2], 5, '5/1 6/1 7/2'],
      [6, [2], 5, '5/1 6/2'],
      [5, [2, 2, 2], 5, '5/2 6/2 7/2'],
      [3, [2], 3, '3/2'],
    ];
  for (const [from, terms, offset, all] of table) {
    const unstable = unstableOf(1, 1);
    unstable.truncateAndAppend(entriesFrom(from, ...terms));
    assert.equal(unstable.offset, offset);
    assert.equal(idsOf(unstable.slice(offset, unstable.lastIndex! + 1)), all);
  }
  assert.throws(() => unstableOf(1).truncateAndAppend([entry(7, 1)]), RaftAssertionError);
});

test('what was handed out is not handed out again, unless it was replaced', () => {
  const unstable = unstableOf(1, 1);
  assert.equal(idsOf(unstable.nextEntries()), '5/1 6/1');
  unstable.accept();
  assert.equal(unstable.hasNextEntries, false);
  unstable.truncateAndAppend([entry(7, 1)]);
  assert.equal(idsOf(unstable.nextEntries()), '7/1');
  unstable.accept();
  unstable.truncateAndAppend(entriesFrom(6, 2, 2));
  assert.equal(idsOf(unstable.nextEntries()), '6/2 7/2');
});

test('what is durable leaves the tail', () => {
  const unstable = unstableOf(1, 1, 2);
  unstable.accept();
  unstable.stableTo({ index: 6, term: 1 });
  assert.deepEqual([unstable.offset, unstable.entryCount, unstable.lastIndex], [7, 1, 7]);
  unstable.stableTo({ index: 7, term: 2 });
  assert.deepEqual([unstable.offset, unstable.entryCount, unstable.lastIndex], [8, 0, undefined]);
});

test('the write of an entry that was replaced meanwhile makes nothing stable', () => {
  const unstable = unstableOf(1, 1);
  unstable.accept();
  unstable.truncateAndAppend(entriesFrom(6, 2));
  for (const last of [
    { index: 6, term: 1 },
    { index: 7, term: 2 },
    { index: 4, term: 1 },
  ]) {
    unstable.stableTo(last);
    assert.deepEqual([unstable.offset, unstable.entryCount], [5, 2]);
  }
});

test('a snapshot replaces everything, and stands before the entries that follow it', () => {
  const unstable = unstableOf(1, 1);
  unstable.restore(snapshotAt(20, 3, [1]));
  assert.deepEqual([unstable.firstIndex, unstable.lastIndex, unstable.offset], [21, 20, 21]);
  assert.equal(unstable.term(20), 3);
  assert.equal(unstable.term(19), undefined);
  unstable.truncateAndAppend(entriesFrom(21, 3));
  assert.equal(unstable.lastIndex, 21);
  assert.equal(unstable.hasNextSnapshot, true);
  unstable.accept();
  assert.equal(unstable.hasNextSnapshot, false);
  assert.equal(unstable.hasSnapshot, true);
  unstable.stableSnapshotTo(19);
  assert.equal(unstable.hasSnapshot, true, 'an older snapshot is durable, not this one');
  unstable.stableSnapshotTo(20);
  assert.equal(unstable.hasSnapshot, false);
});

test('a newer snapshot is handed out although an older one is being written', () => {
  const unstable = unstableOf();
  unstable.restore(snapshotAt(20, 3, [1]));
  unstable.accept();
  unstable.restore(snapshotAt(30, 3, [1]));
  assert.equal(unstable.hasNextSnapshot, true);
});

test('a slice lies in the tail', () => {
  const unstable = unstableOf(1, 1);
  assert.equal(idsOf(unstable.slice(6, 7)), '6/1');
  assert.throws(() => unstable.slice(4, 6), RaftAssertionError);
  assert.throws(() => unstable.slice(6, 8), RaftAssertionError);
});

test('every entry is either durable or still to be written, however writes and replacements mix', () => {
  const step = fc.oneof(
    fc.record({ at: fc.nat({ max: 12 }), count: fc.integer({ min: 1, max: 4 }) }),
    fc.constant('write' as const),
    fc.constant('done' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const unstable = new Unstable(1);
      const log: { term: number }[] = [];
      const disk: { term: number }[] = [];
      const writes: { entries: readonly { index: number; term: number }[]; term: number }[] = [];
      let term = 0;
      for (const now of steps) {
        if (now === 'write') {
          const entries = unstable.nextEntries();
          unstable.accept();
          if (entries.length > 0) writes.push({ entries, term });
        } else if (now === 'done') {
          const write = writes.shift();
          if (write === undefined) continue;
          disk.length = write.entries[0]!.index - 1;
          disk.push(...write.entries);
          if (write.term === term) unstable.stableTo(write.entries.at(-1)!);
        } else {
          term++;
          const from = Math.min(now.at, log.length) + 1;
          log.length = from - 1;
          const fresh = entriesFrom(from, ...new Array<number>(now.count).fill(term));
          log.push(...fresh);
          unstable.truncateAndAppend(fresh);
        }
        // What it no longer holds is on the disk, and equal.
        for (let index = 1; index < unstable.offset; index++) {
          assert.equal(disk[index - 1]?.term, log[index - 1]?.term, `entry ${index}`);
        }
        for (let index = unstable.offset; index <= log.length; index++) {
          assert.equal(unstable.term(index), log[index - 1]!.term, `entry ${index}`);
        }
      }
    }),
  );
});
