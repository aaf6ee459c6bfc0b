import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskWatch } from '../../src/storage/disk-watch.js';

function setUp() {
  const writer = { inFlight: 0 };
  const changes: boolean[] = [];
  const watch = new DiskWatch({ writer, ticksMax: 4, changed: (is) => void changes.push(is) });
  return { writer, changes, watch };
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

test('a busy disk that ends write after write is none, nor is an idle one', () => {
  const { writer, changes, watch } = setUp();
  for (let write = 0; write < 10; write++) {
    writer.inFlight = write;
    for (let tick = 0; tick < 4; tick++) watch.tick(1);
  }
  writer.inFlight = 0;
  for (let tick = 0; tick < 20; tick++) watch.tick(1);
  assert.deepEqual(changes, []);
});
