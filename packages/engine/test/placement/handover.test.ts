import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from 'raft-ts';
import { Handover } from '../../src/placement/handover.js';

function group(changes: { role?: string; idle?: boolean } = {}) {
  const progress = [
    { id: 1, match: 9, isLearner: false, damaged: false },
    { id: 2, match: 5, isLearner: false, damaged: false },
    { id: 3, match: 8, isLearner: false, damaged: false },
    { id: 4, match: 9, isLearner: true, damaged: false },
    { id: 5, match: 9, isLearner: false, damaged: true },
  ];
  const transfers: number[] = [];
  return {
    role: 'leader',
    idle: true,
    transfers,
    status: () => ({ progress }) as unknown as Status,
    transferTo: (peer: number) => void transfers.push(peer),
    ...changes,
  };
}

test('each group that this node leads goes to the voter that is most up to date', () => {
  const led = group();
  const followed = group({ role: 'follower' });
  const isDone = new Handover(1, 0).step([led, followed], 10, () => true);
  assert.ok(!isDone);
  assert.deepEqual(led.transfers, [3]);
  assert.deepEqual(followed.transfers, []);
});

test('a voter that cannot be reached is no heir', () => {
  const led = group();
  new Handover(1, 0).step([led], 10, (peer) => peer !== 3);
  assert.deepEqual(led.transfers, [2]);
});

test('without an heir, or after a while, this node is done once all that it took is answered', () => {
  const handover = new Handover(1, 0);
  assert.ok(handover.step([group()], 10, () => false));
  assert.ok(!handover.step([group({ idle: false })], 10, () => false));
  const led = group();
  assert.ok(handover.step([led], 2000, () => true));
  assert.deepEqual(led.transfers, []);
  assert.ok(!handover.isLate(9999));
  assert.ok(handover.isLate(10_000));
});
