import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Promptness } from '../../src/peers/promptness.js';

const LATE_MS = 10;

function followersOf(self: number): Promptness {
  return new Promptness({ self, lateAfterMs: LATE_MS });
}

/** Which of the others may wait while `count` of them are asked. */
function waiting(promptness: Promptness, others: readonly number[], count: number, nowMs: number) {
  return others.filter((peer) => promptness.mayWait(peer, others, count, nowMs));
}

test('as many are asked at once as are needed, each node asking the next ones', () => {
  assert.deepEqual(waiting(followersOf(1), [2, 3], 1, 0), [3]);
  assert.deepEqual(waiting(followersOf(2), [1, 3], 1, 0), [1]);
  assert.deepEqual(waiting(followersOf(3), [1, 2], 1, 0), [2]);
  assert.deepEqual(waiting(followersOf(2), [1, 3, 4, 5], 2, 0), [1, 5]);
});

test('nobody waits for too few', () => {
  assert.deepEqual(waiting(followersOf(1), [2], 1, 0), []);
  assert.deepEqual(waiting(followersOf(1), [2, 3, 4], 3, 0), []);
});

test('who does not answer in time is late, and comes last when it has answered', () => {
  const promptness = followersOf(1);
  promptness.asked(2, 7, 100);
  assert.deepEqual(waiting(promptness, [2, 3], 1, 109), [3]);
  assert.deepEqual(waiting(promptness, [2, 3], 1, 110), [], 'nobody is behind a node that is late');
  promptness.asked(3, 7, 110);
  promptness.answered(3, 7);
  promptness.answered(2, 7);
  assert.deepEqual(waiting(promptness, [2, 3], 1, 111), [2]);
});

test('what is late counts from the first entries that are not answered, group by group', () => {
  const promptness = followersOf(1);
  promptness.asked(2, 7, 100);
  promptness.asked(2, 8, 105);
  promptness.asked(2, 7, 108);
  promptness.answered(2, 7);
  assert.deepEqual(waiting(promptness, [2, 3], 1, 114), [3]);
  assert.deepEqual(waiting(promptness, [2, 3], 1, 115), []);
});

test('no answer is waited for in a group that is led elsewhere, or from a node that is gone', () => {
  const promptness = followersOf(1);
  promptness.asked(2, 7, 100);
  promptness.ended(7);
  assert.deepEqual(waiting(promptness, [2, 3], 1, 200), [3]);
  promptness.asked(2, 7, 200);
  promptness.forget(2);
  assert.deepEqual(waiting(promptness, [2, 3], 1, 300), [3]);
});
