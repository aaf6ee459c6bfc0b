import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Standings } from '../../src/members/standings.js';

const STALE_MS = 2001;

/** Standings of node 1 with three groups, of which it leads 0 and 2, and whose learner is 4. */
function setUp({ systemLeader = 1, change = 5, learners = [4] } = {}) {
  const sent: Array<readonly [number, unknown[]]> = [];
  const group = (id: number) => ({
    id,
    role: id === 1 ? 'follower' : 'leader',
    hasFollowed: true,
    caughtUp: [4, 6],
    hasCaughtUp(node: number) {
      return this.caughtUp.includes(node);
    },
  });
  const world = { systemLeader, change, learners, groups: [group(0), group(1), group(2)] };
  const standings = new Standings({
    groups: () => world.groups,
    learners: () => world.learners,
    change: () => world.change,
    systemLeader: () => world.systemLeader,
    self: 1,
    send: (to, standing) => void sent.push([to, standing]),
  });
  return { standings, world, sent };
}

test('whoever leads the system group counts the groups that it leads, and hears of the others', () => {
  const { standings, sent } = setUp();
  standings.tick(0);
  assert.deepEqual([standings.lagOf(4, 0), standings.doneIn(5, 0)], [1, 2]);
  standings.heard([5, [1], 4, [1]], 10);
  assert.deepEqual([standings.lagOf(4, 10), standings.doneIn(5, 10)], [0, 3]);
  assert.deepEqual(sent, []);
});

test('others tell it of the groups that they lead', () => {
  const { standings, world, sent } = setUp({ systemLeader: 2, learners: [4, 5] });
  standings.tick(0);
  assert.deepEqual(sent, [[2, [5, [0, 2], 4, [0, 2], 5, []]]]);
  world.groups[2]!.hasFollowed = false;
  world.groups[0]!.caughtUp = [];
  standings.tick(250);
  assert.deepEqual(sent[1], [2, [5, [0], 4, [2], 5, []]]);
});

test('nothing is said when there is nothing to say, or nobody to hear it', () => {
  for (const quiet of [{ change: 0, learners: [] }, { systemLeader: 0 }]) {
    const { standings, sent } = setUp({ systemLeader: 2, ...quiet });
    standings.tick(0);
    assert.deepEqual(sent, []);
  }
  const { standings, world, sent } = setUp({ systemLeader: 2 });
  for (const group of world.groups) Object.assign(group, { hasFollowed: false, caughtUp: [] });
  standings.tick(0);
  assert.deepEqual(sent, []);
});

test('without a change only learners are told of', () => {
  const { standings, sent } = setUp({ systemLeader: 2, change: 0 });
  standings.tick(0);
  assert.deepEqual(sent, [[2, [0, [], 4, [0, 2]]]]);
});

test('what was said a while ago says nothing any more', () => {
  const { standings, world } = setUp();
  standings.tick(0);
  standings.heard([5, [1], 4, [1]], 0);
  assert.equal(standings.doneIn(5, 2000), 3);
  assert.deepEqual([standings.lagOf(4, STALE_MS), standings.doneIn(5, STALE_MS)], [3, 0]);
  world.groups[0]!.caughtUp = [];
  standings.tick(STALE_MS);
  assert.deepEqual([standings.lagOf(4, STALE_MS), standings.doneIn(5, STALE_MS)], [2, 2]);
});

test('what is said of another change does not count for this one', () => {
  const { standings, world } = setUp();
  for (const other of [0, 4, 6]) standings.heard([other, [0, 1, 2]], 0);
  assert.equal(standings.doneIn(5, 0), 0);
  standings.heard([5, [0, 1, 2]], 0);
  for (const other of [4, 6]) standings.heard([other, [0]], 0);
  assert.equal(standings.doneIn(5, 0), 3, 'nor does it undo what was said of this one');
  world.change = 6;
  standings.tick(0);
  assert.deepEqual([standings.doneIn(5, 0), standings.doneIn(6, 0)], [0, 2]);
});

test('who does not lead the system group any more forgets what it heard', () => {
  const { standings, world } = setUp();
  standings.heard([5, [0, 1, 2], 4, [0, 1, 2]], 0);
  world.systemLeader = 2;
  standings.tick(1);
  world.systemLeader = 1;
  assert.deepEqual([standings.lagOf(4, 1), standings.doneIn(5, 1)], [3, 0]);
});

test('nodes that are no learners, and groups that there are not, are passed over', () => {
  const { standings } = setUp();
  standings.heard([5, [7], 6, [0, 1, 2], 4, [0, 3, 9]], 0);
  assert.deepEqual(
    [standings.lagOf(4, 0), standings.lagOf(6, 0), standings.doneIn(5, 0)],
    [2, 3, 0],
  );
});

test('what is no standing is a frame that a peer must not send', () => {
  const { standings } = setUp();
  const bad: readonly unknown[] = [
    7,
    [],
    [5],
    [5, 3],
    [-1, []],
    [5, [], 4],
    [5, ['a']],
    [5, [], 'x', []],
  ];
  for (const list of bad) {
    assert.throws(() => standings.heard(list, 0), { code: 'DATA_CORRUPT' }, JSON.stringify(list));
  }
});
