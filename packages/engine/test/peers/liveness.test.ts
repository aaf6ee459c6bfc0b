import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Liveness } from '../../src/peers/liveness.js';

function setUp() {
  const events: string[] = [];
  const liveness = new Liveness({
    silentTicksMax: 10,
    lost: (peer, silentTicks) => void events.push(`lost ${peer} after ${silentTicks}`),
    returned: (peer) => void events.push(`returned ${peer}`),
  });
  return { liveness, events };
}

test('a node is alive once it was heard of, and lost when it is silent for too long', () => {
  const { liveness, events } = setUp();
  assert.ok(!liveness.isLive(2));
  liveness.heard(2, 70);
  assert.ok(liveness.isLive(2));
  for (let tick = 0; tick < 9; tick++) liveness.tick(1);
  liveness.heard(2, 70);
  liveness.tick(9);
  assert.deepEqual([liveness.isLive(2), liveness.silentTicks(2)], [true, 9]);
  liveness.tick(1);
  liveness.tick(1);
  assert.ok(!liveness.isLive(2));
  liveness.heard(2, 70);
  assert.deepEqual([liveness.isLive(2), liveness.silentTicks(2)], [true, 0]);
  assert.deepEqual(events, ['returned 2', 'lost 2 after 10', 'returned 2']);
});

test('a node whose connection is lost is lost at once, until it is heard of again', () => {
  const { liveness, events } = setUp();
  liveness.disconnected(2);
  liveness.heard(2, 70);
  liveness.tick(3);
  liveness.disconnected(2);
  liveness.disconnected(2);
  assert.ok(!liveness.isLive(2));
  liveness.heard(2, 70);
  assert.deepEqual(events, ['returned 2', 'lost 2 after 3', 'returned 2']);
});

test('a node that started anew was lost in between, though nobody noticed', () => {
  const { liveness, events } = setUp();
  liveness.heard(2, 70);
  liveness.heard(3, 30);
  liveness.tick(1);
  liveness.heard(2, 71);
  liveness.heard(2, 71);
  assert.ok(liveness.isLive(2));
  assert.deepEqual(events, ['returned 2', 'returned 3', 'lost 2 after 1', 'returned 2']);
});
