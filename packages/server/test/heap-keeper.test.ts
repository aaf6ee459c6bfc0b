import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeapKeeper, keepHeap } from '../src/heap-keeper.js';

const MB = 1024 * 1024;

/** A heap that keeps `roomMb` more than it uses. */
function setUp(startMb: number, roomMb = 10) {
  const heap = { usedMb: startMb, liveMb: startMb, collections: 0, load: 0.02 };
  const keeper = new HeapKeeper({
    size: () => ({ used: heap.usedMb * MB, committed: (heap.usedMb + roomMb) * MB }),
    load: () => heap.load,
    collect: () => {
      heap.collections++;
      heap.usedMb = heap.liveMb;
    },
  });
  const look = (...usedMb: number[]): number => {
    for (const used of usedMb) {
      heap.usedMb = used;
      keeper.look();
    }
    return heap.collections;
  };
  return { heap, look };
}

test('a heap that has calmed down with much garbage in it is collected, once', () => {
  const { heap, look } = setUp(40);
  assert.equal(look(120, 200, 150, 230), 0, 'it is busy');
  assert.equal(look(232), 0);
  assert.equal(look(234), 1, 'it is calm');
  assert.equal(heap.usedMb, 40);
  assert.equal(look(41, 43, 45, 42), 1, 'little garbage is left to V8');
});

test('a process that is at work is not stopped, however steady its heap is', () => {
  const { heap, look } = setUp(40, 100);
  heap.load = 0.2;
  assert.equal(look(90, 90, 90, 90, 90), 0);
  heap.load = 0.02;
  assert.equal(look(90), 0);
  assert.equal(look(90), 1);
});

test('what is in use for good is not collected over and over', () => {
  const { heap, look } = setUp(40);
  heap.liveMb = 300;
  assert.equal(look(300, 300, 300), 1);
  assert.equal(look(301, 302, 303, 304), 1);
});

test('room that is not used is given back, in a few collections and no more', () => {
  const { look } = setUp(40, 100);
  assert.equal(look(40, 40), 1);
  assert.equal(look(40, 40, 40, 40, 40, 40, 40), 4);
  assert.equal(look(90, 40, 40, 40), 5, 'another calm');
});

test('the collector of this process can be reached without a flag', () => {
  const stop = keepHeap();
  stop();
});
