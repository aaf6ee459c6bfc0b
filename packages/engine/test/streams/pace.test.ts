import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import { Pace } from '../../src/streams/pace.js';

test('without a rate the next event is never put off', () => {
  const pace = new Pace(undefined);
  pace.given(5000);
  assert.ok(pace.dueMs <= 0);
});

test('events of a busy document come once an interval, on the times of the grid', () => {
  const pace = new Pace(10);
  pace.given(1000);
  const given: number[] = [];
  for (let late = 0; given.length < 5; late += 5) {
    given.push(pace.dueMs);
    pace.given(pace.dueMs + late);
  }
  assert.deepEqual(given, [1100, 1200, 1300, 1400, 1500]);
});

test('an event between two times of the grid is followed at the first that is far enough away', () => {
  const pace = new Pace(10);
  pace.given(1020);
  assert.equal(pace.dueMs, 1100);
  pace.given(1030);
  assert.equal(pace.dueMs, 1200);
});

test('whenever events are given, each interval has one at most, and three quarters lie between two', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = makePrng(seed);
    const perSecond = 0.5 + random.fraction() * 20;
    const intervalMs = 1000 / perSecond;
    const pace = new Pace(perSecond);
    let nowMs = random.fraction() * 10_000;
    const slots = new Set<number>();
    for (let count = 0; count < 50; count++) {
      const slot = Math.floor(nowMs / intervalMs + 1e-6);
      assert.ok(!slots.has(slot), `seed ${seed}`);
      slots.add(slot);
      pace.given(nowMs);
      assert.ok(pace.dueMs - nowMs >= 0.75 * intervalMs - 1e-6, `seed ${seed}`);
      assert.ok(pace.dueMs - nowMs <= 1.75 * intervalMs + 1e-6, `seed ${seed}`);
      nowMs = pace.dueMs + (random.below(2) === 0 ? 0 : random.fraction() * 2 * intervalMs);
    }
  }
});
