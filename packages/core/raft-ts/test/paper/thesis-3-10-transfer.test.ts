// Thesis §3.10: the leadership transfer extension.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE } from '../../src/types.js';
import { auto } from '../support/changes.js';
import { Cluster, testModes } from '../support/cluster.js';
import { bytesOf } from '../support/entries.js';
import { append, appendResponse, only } from '../support/messages.js';
import { Single } from '../support/single.js';

const THREE = { voters: [1, 2, 3] };

testModes('leadership moves to a follower that is up to date, at once (thesis §3.10)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode });
  cluster.elect(1);
  const { term } = cluster.status(1);
  cluster.node(1).transferLeader(2);
  cluster.settle();
  assert.deepEqual([cluster.leaders(), cluster.status(2).term], [[2], term + 1]);
  assert.equal(cluster.status(1).leadTransferee, NONE);
});

testModes('a follower that is behind is brought up to date first (thesis §3.10)', (mode) => {
  const one = new Single({ ...THREE, ...mode });
  one.leadAndCommit(2, 3);
  one.propose('a');
  const { term, lastIndex } = one.status;
  one.step(appendResponse({ from: 2, term, index: lastIndex }));
  const sent = one.run((node) => node.transferLeader(3));
  assert.deepEqual(only(sent, 'timeoutNow'), []);
  const [now] = only(one.step(appendResponse({ from: 3, term, index: lastIndex })), 'timeoutNow');
  assert.equal(now!.to, 3);
});

testModes('a follower behind the log gets a snapshot first (thesis §3.10)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode });
  cluster.elect(1);
  const cut = cluster.isolate(3);
  cluster.commit(1, 'a', 'b');
  cluster.host(1).disk.compact(0);
  cut();
  cluster.node(1).transferLeader(3);
  cluster.settle();
  cluster.tick(1, 3);
  assert.deepEqual(cluster.leaders(), [3]);
});

test('proposals are refused while leadership moves (thesis §3.10)', () => {
  const one = new Single(THREE);
  one.leadAndCommit(2, 3);
  one.run((node) => node.transferLeader(2));
  assert.throws(() => one.node.propose(bytesOf('a')), /leadership moves to 2/);
  assert.equal(one.node.canPropose(1), false);
});

test('who is asked campaigns at once, without a pre-vote, and past every lease (thesis §3.10)', () => {
  const one = new Single(THREE);
  one.step(append({ from: 2, term: 1 }));
  const requests = only(one.step({ type: 'timeoutNow', from: 2, to: 1, term: 1 }), 'vote');
  assert.deepEqual(
    requests.map(({ to, term, transfer }) => [to, term, transfer]),
    [
      [2, 2, true],
      [3, 2, true],
    ],
  );
});

test('who may not lead does not campaign although it is asked (thesis §3.10)', () => {
  const one = new Single({ voters: [2, 3] });
  one.step(append({ from: 2, term: 1 }));
  one.step({ type: 'timeoutNow', from: 2, to: 1, term: 1 });
  assert.deepEqual([one.status.role, one.status.term], ['follower', 1]);
});

testModes('a follower passes a request on to its leader (thesis §3.10)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode });
  cluster.elect(1);
  cluster.node(3).transferLeader(3);
  cluster.settle();
  assert.deepEqual(cluster.leaders(), [3]);
});

testModes('a transfer that was lost does not stop proposals for ever (pitfall 11)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode });
  cluster.elect(1);
  cluster.lose(({ type }) => type === 'timeoutNow');
  cluster.node(1).transferLeader(2);
  cluster.tick([1, 2, 3], 9);
  assert.throws(() => cluster.propose(1, 'early'), /leadership moves/);
  cluster.tick([1, 2, 3], 1);
  cluster.commit(1, 'later');
  assert.deepEqual(cluster.texts(2), ['later']);
});

testModes('a transfer ends when its target is removed or demoted (pitfall 11)', (mode) => {
  for (const kind of ['remove', 'addLearner'] as const) {
    const one = new Single({ voters: [1, 2, 3, 4], ...mode });
    one.leadAndCommit(2, 3, 4);
    one.run((node) => node.proposeConfChange(auto({ kind, node: 4 })));
    one.run((node) => node.transferLeader(4));
    assert.equal(one.status.leadTransferee, 4);
    one.acknowledge(2, 3);
    assert.equal(one.status.leadTransferee, NONE);
    one.propose('a');
  }
});

testModes(
  'a transfer to a server that cannot be brought up to date is given up (thesis §3.10)',
  (mode) => {
    const cluster = new Cluster({ ...THREE, ...mode });
    cluster.elect(1);
    const cut = cluster.isolate(3);
    cluster.commit(1, 'a');
    cluster.node(1).transferLeader(3);
    cluster.settle();
    cluster.tick([1, 2], 5);
    // Asking again does not prolong it.
    cluster.node(1).transferLeader(3);
    cluster.tick([1, 2], 5);
    assert.deepEqual([cluster.leaders(), cluster.status(1).leadTransferee], [[1], NONE]);
    cluster.commit(1, 'b');
    cut();
    cluster.tick([1, 2, 3], 3);
    assert.deepEqual([cluster.leaders(), cluster.texts(3)], [[1], ['a', 'b']]);
  },
);

testModes(
  'who was asked too late, or twice, does no more than begin an election (thesis §3.10)',
  (mode) => {
    const cluster = new Cluster({ ...THREE, ...mode });
    cluster.elect(1);
    cluster.commit(1, 'a');
    const lost = cluster.lose(({ type }) => type === 'timeoutNow');
    cluster.node(1).transferLeader(2);
    cluster.settle();
    lost();
    const [asked] = only(cluster.sent, 'timeoutNow');
    cluster.tick([1, 2, 3], 10);
    cluster.commit(1, 'b');
    for (let times = 0; times < 2; times++) {
      cluster.deliver(asked!);
      cluster.settle();
    }
    assert.deepEqual(cluster.leaders(), [2]);
    cluster.commit(2, 'c');
    for (const id of THREE.voters) assert.deepEqual(cluster.texts(id), ['a', 'b', 'c']);
  },
);
