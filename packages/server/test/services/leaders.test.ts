import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Leaders } from '../../src/services/leaders.js';

function setUp(all: readonly number[]) {
  let tell = (_group: number, _leader: number): void => {};
  const leaders = new Leaders({
    leaders: () => [...all],
    followLeaders: (listener) => {
      tell = listener;
    },
  });
  return { leaders, tell: (group: number, leader: number) => tell(group, leader) };
}

test('changes of leaders are known at once, and told together a moment later', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { leaders, tell } = setUp([1, 2, 3]);
  const told: (readonly number[])[] = [];
  const stop = leaders.listen((changed) => told.push(changed));
  tell(2, 0);
  tell(2, 1);
  tell(0, 3);
  assert.deepEqual(leaders.all, [3, 2, 1]);
  assert.deepEqual(told, []);
  context.mock.timers.tick(50);
  assert.deepEqual(told, [[2, 0]]);
  tell(1, 1);
  context.mock.timers.tick(50);
  assert.deepEqual(told, [[2, 0], [1]]);
  stop();
  tell(1, 2);
  context.mock.timers.tick(50);
  assert.equal(told.length, 2);
});

test('a role that leaves the leader as it was is no news', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { leaders, tell } = setUp([1]);
  const told: (readonly number[])[] = [];
  leaders.listen((changed) => told.push(changed));
  tell(0, 1);
  context.mock.timers.tick(50);
  assert.deepEqual(told, []);
});
