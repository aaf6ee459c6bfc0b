import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { Residency } from '../../src/documents/residency.js';

function setUp() {
  const residency = new Residency({
    ...DEFAULT_LIMITS,
    residentBytesMax: 1000,
    loadsWaitingMax: 3,
  });
  const started: number[] = [];
  let asked = 0;
  const ask = (count: number): void => {
    for (let left = count; left > 0; left--) {
      const number = ++asked;
      residency.admit(() => void started.push(number));
    }
  };
  return { residency, started, ask };
}

test('a few documents load at a time, in the order in which they were asked for', () => {
  const { residency, started, ask } = setUp();
  ask(20);
  assert.equal(started.length, 16);
  residency.loaded();
  residency.loaded();
  assert.deepEqual(started.slice(16), [17, 18]);
});

test('with too much in memory nothing is loaded until something has left', () => {
  const { residency, started, ask } = setUp();
  residency.changed(1000);
  ask(2);
  assert.deepEqual(started, []);
  residency.changed(-1);
  assert.deepEqual(started, [1, 2]);
});

test('the limit is passed by no more than what was loading', () => {
  const { residency, started, ask } = setUp();
  ask(40);
  for (let count = 0; count < 16; count++) {
    residency.changed(100);
    residency.loaded();
  }
  // The tenth was one too many; those behind it had begun before, and none began after.
  assert.equal(started.length, 16 + 9);
});

test('with too much in memory for ever, one document comes in now and then', () => {
  const { residency, started, ask } = setUp();
  residency.changed(5000);
  ask(3);
  residency.tick();
  residency.tick();
  assert.deepEqual(started, [1]);
  residency.loaded();
  assert.deepEqual(started, [1]);
  residency.tick();
  assert.deepEqual(started, [1, 2]);
});

test('documents are pressed to leave before the limit, and refused with too many waiting', () => {
  const { residency, ask } = setUp();
  residency.changed(900);
  assert.ok(!residency.isPressed);
  residency.changed(100);
  assert.ok(residency.isPressed);
  ask(2);
  assert.ok(!residency.isFull);
  ask(1);
  assert.ok(residency.isFull);
  residency.changed(-500);
  assert.ok(!residency.isFull && !residency.isPressed);
});
