import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk, SortedMap } from '@deltabase/testkit';
import { WatchedDisk } from '../../src/storage/watched-disk.js';

const KEY = Uint8Array.of(1);
const ALL = { start: Uint8Array.of(0), end: Uint8Array.of(9) };

function setUp() {
  const asked: Array<() => void> = [];
  const memory = new MemoryDisk({ later: (_kind, run) => void asked.push(run) }, new SortedMap());
  return { asked, disk: new WatchedDisk(memory) };
}

test('a disk knows its oldest read, of whatever kind, until that has ended', () => {
  const { asked, disk } = setUp();
  assert.equal(disk.oldestRead, 0);
  const view = disk.freeze();
  const ended: string[] = [];
  disk.get(KEY, () => ended.push('get'));
  disk.range(ALL, () => ended.push('range'));
  view.get(KEY, () => ended.push('frozen get'));
  view.range(ALL, () => ended.push('frozen range'));
  const oldest = asked.map((answer) => {
    const before = disk.oldestRead;
    answer();
    return before;
  });
  assert.deepEqual(ended, ['get', 'range', 'frozen get', 'frozen range']);
  assert.equal(new Set(oldest).size, 4, 'each had its own number');
  assert.ok(!oldest.includes(0));
  assert.equal(disk.oldestRead, 0);
});

test('reads that end out of order leave the oldest of the others', () => {
  const { asked, disk } = setUp();
  for (let read = 0; read < 3; read++) disk.get(KEY, () => {});
  const oldest = disk.oldestRead;
  asked[1]!();
  assert.equal(disk.oldestRead, oldest);
  asked[0]!();
  assert.notEqual(disk.oldestRead, oldest);
  assert.notEqual(disk.oldestRead, 0);
});

test('writes and compactions are no reads, and what is read is what was written', () => {
  const { asked, disk } = setUp();
  let written = false;
  disk.write([{ kind: 'put', key: KEY, value: Uint8Array.of(7) }], () => {
    written = true;
  });
  disk.compact(ALL.start, ALL.end, () => {});
  assert.equal(disk.oldestRead, 0);
  for (const answer of asked.splice(0)) answer();
  assert.ok(written);
  assert.deepEqual(disk.getSync(KEY), Uint8Array.of(7));
  let found: Uint8Array | undefined;
  disk.get(KEY, (value) => {
    found = value;
  });
  for (const answer of asked.splice(0)) answer();
  assert.deepEqual(found, Uint8Array.of(7));
});
