import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RaftAssertionError } from '../src/assert.js';
import { Inflights } from '../src/inflights.js';

test('the window is full with as many messages as it may hold', () => {
  const inflights = new Inflights(2, Infinity);
  inflights.add(1, 0);
  assert.equal(inflights.full, false);
  inflights.add(2, 0);
  assert.equal(inflights.full, true);
  assert.throws(() => inflights.add(3, 0), RaftAssertionError);
});

test('the window is full once it holds as many bytes as it may, the last message included whole', () => {
  const inflights = new Inflights(9, 100);
  inflights.add(1, 99);
  assert.equal(inflights.full, false);
  inflights.add(2, 500);
  assert.equal(inflights.full, true);
  inflights.freeTo(1);
  assert.equal(inflights.full, true);
  inflights.freeTo(2);
  assert.equal(inflights.full, false);
});

test('an acknowledgement frees every message up to it, and an older one none', () => {
  const inflights = new Inflights(8, Infinity);
  for (const index of [3, 5, 9]) inflights.add(index, 1);
  inflights.freeTo(2);
  assert.equal(inflights.count, 3);
  inflights.freeTo(6);
  assert.equal(inflights.count, 1);
  inflights.freeTo(5);
  assert.equal(inflights.count, 1);
  inflights.freeTo(9);
  assert.equal(inflights.count, 0);
});

test('the ring does what a list does', () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ free: fc.nat({ max: 6 }) }),
    fc.constant('reset' as const),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      (steps, max) => {
        const inflights = new Inflights(max, 200);
        let list: { index: number; bytes: number }[] = [];
        let index = 0;
        for (const now of steps) {
          if (now === 'reset') {
            inflights.reset();
            list = [];
          } else if ('free' in now) {
            const to = (list[0]?.index ?? 0) + now.free;
            inflights.freeTo(to);
            list = list.filter((message) => message.index > to);
          } else if (!inflights.full) {
            index += 1 + (now.add % 3);
            inflights.add(index, now.add);
            list.push({ index, bytes: now.add });
          }
          const bytes = list.reduce((sum, message) => sum + message.bytes, 0);
          assert.equal(inflights.count, list.length);
          assert.equal(inflights.full, list.length >= max || bytes >= 200);
        }
      },
    ),
  );
});
