import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskWatch } from '../../src/storage/disk-watch.js';

function setUp() {
  const writer = { inFlight: 0 };
  const disk = { oldestRead: 0 };
  const changes: boolean[] = [];
  const changed = (is: boolean): void => void changes.push(is);
  const watch = new DiskWatch({ writer, disk, ticksMax: 4, changed });
  return { writer, disk, changes, watch };
}

test('a write that takes too many ticks means a disk that does not answer, until it ends', () => {
  const { writer, changes, watch } = setUp();
  writer.inFlight = 1;
  for (let tick = 0; tick < 4; tick++) watch.tick(1);
  assert.deepEqual(changes, []);
  watch.tick(1);
  watch.tick(1);
  assert.deepEqual(changes, [true]);
  assert.ok(watch.isStalled);
  writer.inFlight = 2;
  watch.tick(1);
  assert.deepEqual(changes, [true, false]);
  assert.ok(!watch.isStalled);
});

test('so does a read, though writes end', () => {
  const { writer, disk, changes, watch } = setUp();
  disk.oldestRead = 7;
  for (let tick = 0; tick < 4; tick++, writer.inFlight++) watch.tick(1);
  assert.deepEqual(changes, []);
  watch.tick(1);
  assert.deepEqual(changes, [true]);
  // The write that was begun meanwhile does not make it well.
  writer.inFlight++;
  watch.tick(1);
  assert.deepEqual(changes, [true]);
  disk.oldestRead = 8;
  watch.tick(1);
  assert.deepEqual(changes, [true, false]);
});

test('a busy disk that ends one after the other is none, nor is an idle one', () => {
  const { writer, disk, changes, watch } = setUp();
  for (let write = 0; write < 10; write++) {
    writer.inFlight = write;
    disk.oldestRead = 2 * write;
    for (let tick = 0; tick < 4; tick++) watch.tick(1);
  }
  writer.inFlight = 0;
  disk.oldestRead = 0;
  for (let tick = 0; tick < 20; tick++) watch.tick(1);
  assert.deepEqual(changes, []);
});
