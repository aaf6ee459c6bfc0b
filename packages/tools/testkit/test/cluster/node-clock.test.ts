import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeClock, Simulation } from '../../src/index.js';

test('a clock knows when it showed what it has shown, however its rate changed', () => {
  const simulation = new Simulation(1);
  const clock = new NodeClock(simulation);
  const shown: Array<readonly [atMs: number, ownMs: number]> = [];
  for (const rate of [1, 2, 0.5, 0.5, 1]) {
    clock.rate = rate;
    for (let step = 0; step < 3; step++) {
      shown.push([simulation.nowMs, clock.monotonicMs]);
      simulation.runFor(100);
    }
  }
  assert.equal(clock.monotonicMs, 300 * 5);
  for (const [atMs, ownMs] of shown) assert.equal(clock.momentOf(ownMs), atMs);
  assert.equal(clock.momentOf(clock.monotonicMs), simulation.nowMs);
});
