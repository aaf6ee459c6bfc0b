import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { Disk, DiskOperation } from '../../src/ports.js';
import { DurableWriter } from '../../src/storage/durable-writer.js';
import { bytes, text } from '../support/bytes.js';
import { put } from '../support/disk.js';
import { ManualLoop } from '../support/loop.js';

function setUp(batchBytesMax = 1000) {
  const batches: string[][] = [];
  const inFlight: Array<() => void> = [];
  const disk = {
    write(operations: readonly DiskOperation[], done: () => void) {
      batches.push(operations.map(({ key }) => text(key)));
      inFlight.push(done);
    },
  } as Disk;
  const loop = new ManualLoop();
  const { run } = loop;
  const limits = { ...DEFAULT_LIMITS, batchBytesMax, writeQueueBytesMax: 60 };
  const writer = new DurableWriter(disk, loop.loop, limits);
  const told: string[] = [];
  const add = (...names: string[]): void =>
    writer.add(
      names.map((name) => put(bytes(name), bytes('value'))),
      () => told.push(names.join('+')),
    );
  const complete = (): void => {
    inFlight.shift()!();
    run();
  };
  return { writer, loop, batches, told, add, run, complete, inFlight };
}

test('one batch is in flight at a time, and what comes meanwhile is the next one', () => {
  const { writer, batches, add, complete, inFlight } = setUp();
  add('a');
  writer.flush();
  add('b');
  add('c');
  writer.flush();
  assert.deepEqual(batches, [['a']]);
  assert.equal(inFlight.length, 1);
  complete();
  writer.flush();
  assert.deepEqual(batches, [['a'], ['b', 'c']]);
  assert.equal(writer.writes, 2);
});

test('a batch begins when the frames of its turn have left: in the next turn, whatever that sends', () => {
  const { writer, loop, batches, add, run, complete } = setUp();
  add('a');
  writer.flush(true);
  assert.deepEqual([batches.length, loop.due], [0, 1], 'it asks for that turn');
  run();
  writer.flush(true);
  assert.deepEqual(batches, [['a']]);
  add('b');
  writer.flush(true);
  assert.deepEqual([batches.length, loop.due], [1, 0], 'the end of the one in flight is a turn');
  complete();
  writer.flush();
  assert.deepEqual(batches, [['a'], ['b']]);
});

test('nobody is told before the batch is on stable storage (AckedIsDurable), then in order', () => {
  const { writer, told, add, run, complete } = setUp();
  add('a');
  add('b', 'c');
  writer.flush();
  run();
  assert.deepEqual(told, []);
  complete();
  assert.deepEqual(told, ['a', 'b+c']);
  assert.ok(writer.idle);
});

test('a batch ends where it grows too large, but never within a unit', () => {
  const { writer, batches, add, complete } = setUp(20);
  add('a', 'b', 'c', 'd', 'e', 'f');
  add('g');
  add('h', 'i', 'j');
  assert.equal(writer.waitingBytes, 60);
  for (let count = 0; count < 3; count++) {
    writer.flush();
    complete();
  }
  assert.deepEqual(batches, [['a', 'b', 'c', 'd', 'e', 'f'], ['g'], ['h', 'i', 'j']]);
  assert.equal(writer.waitingBytes, 0);
  assert.equal(writer.bytesWritten, 60);
});

test('it is full while more waits than may, and not because of what is being written', () => {
  const { writer, add, complete } = setUp();
  for (let count = 0; count < 10; count++) add('a');
  assert.ok(!writer.isFull);
  add('b');
  assert.ok(writer.isFull);
  writer.flush();
  assert.ok(!writer.isFull);
  assert.equal(writer.inFlight, 1);
  complete();
  assert.equal(writer.inFlight, 0);
});
