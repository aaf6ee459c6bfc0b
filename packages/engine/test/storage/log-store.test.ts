import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EMPTY_HARD_STATE, type Entry, entryBytes, type Snapshot, votersOnly } from 'raft-ts';
import { entryKey, entryRange, indexOfEntryKey } from '../../src/storage/keys.js';
import { LogStore } from '../../src/storage/log-store.js';
import { decodeEntry } from '../../src/storage/rows.js';
import { del, promptDisk } from '../support/disk.js';
import { entry } from '../support/samples.js';

const CACHE_BYTES = 60;

function snapshotAt(index: number, term: number): Snapshot {
  return { index, term, confState: votersOnly([1]), data: new Uint8Array(0) };
}

function open(disk = promptDisk(), snapshot = snapshotAt(0, 0), entries: readonly Entry[] = []) {
  const log = new LogStore(
    1,
    disk,
    { hardState: EMPTY_HARD_STATE, number: 0, snapshot, entries },
    CACHE_BYTES,
  );
  return { disk, log };
}

type Opened = ReturnType<typeof open>;

function append({ disk, log }: Opened, entries: readonly Entry[]): void {
  disk.write(log.appendOperations(entries), () => log.appended(entries));
}

function onDisk({ disk }: Pick<Opened, 'disk'>): Entry[] {
  const { start, end } = entryRange(1, 0, Number.MAX_SAFE_INTEGER);
  return disk.durable
    .slice(start, end)
    .map(({ key, value }) => decodeEntry(indexOfEntryKey(key), value));
}

function read(log: LogStore): Entry[] {
  const all: Entry[] = [];
  for (let next = log.firstIndex(); next <= log.lastIndex(); ) {
    const page = log.entries(next, log.lastIndex() + 1, 40);
    assert.ok(page.length > 0, 'a page has an entry');
    all.push(...page);
    next += page.length;
  }
  return all;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('replace' as const), back: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant('flush' as const), back: fc.nat({ max: 6 }) }),
  fc.record({ kind: fc.constant('compact' as const), keep: fc.nat({ max: 80 }) }),
  fc.record({ kind: fc.constant('restart' as const) }),
);

test('a log store gives what was appended, from memory or disk, also after a restart', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      let opened = open();
      let model: Entry[] = [];
      let term = 1;
      for (const action of steps) {
        const { log } = opened;
        const flushed = log.snapshot().index;
        const last = log.lastIndex();
        if (action.kind === 'append') {
          const added = Array.from({ length: action.count }, (_, at) => entry(last + 1 + at, term));
          model.push(...added);
          append(opened, added);
        } else if (action.kind === 'replace') {
          // Only what is not applied may be replaced, and by a newer term (Raft §5.3).
          const from = Math.max(flushed + 1, last + 1 - action.back, log.firstIndex());
          const added = [entry(from, ++term, 'replaced')];
          model = [...model.filter(({ index }) => index < from), ...added];
          append(opened, added);
        } else if (action.kind === 'flush') {
          const index = Math.max(flushed, last - action.back);
          if (index > 0 && index >= log.firstIndex())
            log.flushed(snapshotAt(index, log.term(index)));
          log.trimCache(index);
        } else if (action.kind === 'compact') {
          const index = log.compactableTo(action.keep);
          if (index >= log.firstIndex() && index > 1)
            opened.disk.write(log.compact(index), () => {});
        } else {
          opened = open(opened.disk, log.snapshot(), onDisk(opened));
          assert.equal(opened.log.firstIndex(), log.firstIndex(), 'a restart takes nothing away');
        }
        const now = opened.log;
        assert.equal(now.lastIndex(), Math.max(model.at(-1)?.index ?? 0, now.snapshot().index));
        const kept = model.filter(({ index }) => index >= now.firstIndex());
        assert.deepEqual(read(now), kept);
        for (const { index, term: of } of kept) assert.equal(now.term(index), of);
        assert.equal(
          now.bytes,
          kept.reduce((sum, one) => sum + entryBytes(one), 0),
        );
      }
    }),
    { numRuns: 200 },
  );
});

test('entries that were replaced are gone from the disk, not only behind the new end', () => {
  const opened = open();
  append(
    opened,
    [1, 2, 3, 4, 5].map((index) => entry(index, 1)),
  );
  append(opened, [entry(3, 2)]);
  assert.deepEqual(onDisk(opened), [entry(1, 1), entry(2, 1), entry(3, 2)]);
});

test('two appends on their way to the disk leave nothing of the longer first one', () => {
  const { disk, log } = open();
  const first = [1, 2, 3, 4].map((index) => entry(index, 1));
  const second = [entry(2, 2)];
  const operations = [...log.appendOperations(first), ...log.appendOperations(second)];
  disk.write(operations, () => {});
  log.appended(first);
  log.appended(second);
  assert.deepEqual(onDisk({ disk }), [entry(1, 1), entry(2, 2)]);
  assert.deepEqual(read(log), [entry(1, 1), entry(2, 2)]);
});

test('compaction keeps the last entry that it removes: it tells the term of what follows', () => {
  const opened = open();
  append(opened, [entry(1, 1), entry(2, 1), entry(3, 2), entry(4, 2)]);
  opened.log.flushed(snapshotAt(4, 2));
  opened.disk.write(opened.log.compact(3), () => {});
  assert.equal(opened.log.firstIndex(), 4);
  assert.equal(opened.log.term(3), 2);
  const { log } = open(opened.disk, snapshotAt(4, 2), onDisk(opened));
  assert.equal(log.firstIndex(), 4);
  assert.equal(log.term(3), 2);
  assert.throws(() => log.term(2), { code: 'Compacted' });
  assert.throws(() => log.entries(3, 5, 100), { code: 'Compacted' });
  assert.throws(() => log.entries(4, 6, 100), { code: 'Unavailable' });
});

test('a log of which nothing was compacted begins with its first entry, also after a restart', () => {
  const opened = open();
  append(opened, [entry(1, 1), entry(2, 1)]);
  opened.log.flushed(snapshotAt(2, 1));
  const { log } = open(opened.disk, snapshotAt(2, 1), onDisk(opened));
  assert.equal(log.firstIndex(), 1);
  assert.deepEqual(read(log), [entry(1, 1), entry(2, 1)]);
  assert.throws(() => log.compact(1), /lost none/);
});

test('what is not flushed is never compacted, nor what is to be kept by size', () => {
  const opened = open();
  append(
    opened,
    [1, 2, 3, 4, 5, 6].map((index) => entry(index, 1)),
  );
  const { log } = opened;
  assert.equal(log.compactableTo(0), 0);
  log.flushed(snapshotAt(4, 1));
  assert.equal(log.compactableTo(0), 3);
  const kept = entryBytes(entry(6, 1)) * 4;
  assert.equal(log.compactableTo(kept), 2);
  assert.throws(() => log.compact(5), /only what is flushed is compacted/);
});

test('a snapshot takes the place of the whole log, on disk as in memory', () => {
  const opened = open();
  append(
    opened,
    [1, 2, 3].map((index) => entry(index, 1)),
  );
  const { disk, log } = opened;
  disk.write(log.clearOperations(100), () => log.restored(snapshotAt(100, 7)));
  assert.deepEqual(onDisk(opened), []);
  assert.equal(log.firstIndex(), 101);
  assert.equal(log.lastIndex(), 100);
  assert.equal(log.term(100), 7);
  assert.throws(() => log.restored(snapshotAt(100, 7)), /never takes the state back/);
  append(opened, [entry(101, 7)]);
  assert.deepEqual(onDisk(opened), [entry(101, 7)]);
  assert.deepEqual(read(log), [entry(101, 7)]);
});

test('entries get in only when they are durable (AckedIsDurable), and leave no hole', () => {
  const { disk, log } = open();
  disk.write(log.appendOperations([entry(1, 1)]), () => {});
  assert.equal(log.lastIndex(), 0);
  assert.throws(() => log.appended([entry(2, 1)]), /no holes/);
});

test('an entry that is not on the disk any more is a defect, not an empty or a shorter log (pitfall 17)', () => {
  const opened = open();
  const { disk, log } = opened;
  append(
    opened,
    [1, 2, 3].map((index) => entry(index, 1, 'x'.repeat(CACHE_BYTES))),
  );
  log.trimCache(3);
  assert.equal(log.entries(1, 3, 1000).length, 2);
  disk.write([del(entryKey(1, 2))], () => {});
  assert.throws(() => log.entries(1, 3, 1000), /on disk/);
});
