// Thesis §4.3: arbitrary changes by joint consensus, and how a joint configuration is left.

import assert from 'node:assert/strict';
import { LEAVE_JOINT } from '../../src/conf-change.js';
import { add, auto, explicit, listen, remove } from '../support/changes.js';
import { Cluster, testModes } from '../support/cluster.js';
import { conf } from '../support/entries.js';
import { appendResponse } from '../support/messages.js';
import { Single } from '../support/single.js';

const THREE = [1, 2, 3];

testModes('a joint configuration may stay until it is left on purpose (§6)', (mode) => {
  const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
  cluster.elect(1);
  const joint = cluster.changeTo(1, explicit(add(4), listen(3)));
  assert.deepEqual(joint, {
    voters: [1, 2, 4],
    votersOutgoing: THREE,
    learners: [],
    learnersNext: [3],
    autoLeave: false,
  });
  cluster.tick(1, 30);
  assert.deepEqual(cluster.host(1).confState, joint);
  const left = cluster.changeTo(1, LEAVE_JOINT);
  assert.deepEqual(left, conf({ voters: [1, 2, 4], learners: [3] }));
  assert.deepEqual(cluster.host(3).confState, left);
});

testModes('a leader that takes over in a joint configuration leaves it too (§6)', (mode) => {
  const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
  cluster.elect(1);
  const noLeave = cluster.lose((message) => {
    return message.type === 'append' && message.entries.some(({ data }) => data.length === 6);
  });
  cluster.change(1, 'implicit', add(4));
  cluster.settle();
  assert.equal(cluster.host(2).confState.autoLeave, true);
  cluster.host(1).crash();
  cluster.tick([2, 3, 4], 20);
  noLeave();
  cluster.tick([2, 3, 4], 20);
  assert.deepEqual(cluster.host(cluster.leaders()[0]!).confState, conf({ voters: [1, 2, 3, 4] }));
});

testModes('a joint configuration is left although a transfer refused it at first (§6)', (mode) => {
  const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
  cluster.elect(1);
  cluster.change(1, 'implicit', add(4));
  cluster.lose(({ type }) => type === 'timeoutNow');
  cluster.node(1).transferLeader(2);
  cluster.settle();
  assert.equal(cluster.host(1).confState.autoLeave, true);
  cluster.tick([1, 2, 3, 4], 25);
  assert.deepEqual(cluster.host(1).confState, conf({ voters: [1, 2, 3, 4] }));
});

testModes('configurations outlive a crash, joint ones too (§6)', (mode) => {
  const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
  cluster.elect(1);
  const joint = cluster.changeTo(1, explicit(add(4), remove(2)));
  for (const id of [1, 2, 3, 4]) cluster.host(id).disk.sync();
  for (const id of [1, 2, 3, 4]) cluster.host(id).restart();
  assert.deepEqual(cluster.node(3).status().conf, joint);
  cluster.tick([1, 2, 3, 4], 30);
  cluster.changeTo(cluster.leaders()[0]!, LEAVE_JOINT);
  assert.deepEqual(cluster.host(3).confState, conf({ voters: [1, 3, 4] }));
});

testModes('all servers may be replaced at once (thesis §4.3)', (mode) => {
  const cluster = new Cluster({ voters: THREE, others: [4, 5, 6], ...mode });
  cluster.elect(1);
  cluster.commit(1, 'before');
  cluster.changeTo(1, auto(...[4, 5, 6].map(add), ...THREE.map(remove)));
  cluster.tick([1, 2, 3, 4, 5, 6], 40);
  for (const id of THREE) cluster.host(id).crash();
  cluster.tick([4, 5, 6], 40);
  const [leader] = cluster.leaders();
  assert.ok(leader !== undefined && leader > 3);
  cluster.commit(leader, 'after');
  for (const id of [4, 5, 6]) {
    assert.deepEqual(cluster.host(id).confState, conf({ voters: [4, 5, 6] }));
    assert.deepEqual(cluster.texts(id), ['before', 'after']);
  }
});

testModes(
  'a voter that is to listen votes until the joint configuration is left (thesis §4.3)',
  (mode) => {
    const one = new Single({ voters: THREE, ...mode });
    one.leadAndCommit(2, 3);
    one.run((node) => node.proposeConfChange(explicit(listen(3))));
    one.acknowledge(2);
    assert.deepEqual(one.host.confState.learnersNext, [3]);
    assert.equal(one.peer(3).isLearner, false);
    one.propose('a');
    const { term, lastIndex: index } = one.status;
    one.step(appendResponse({ from: 3, term, index }));
    assert.equal(one.status.commit, index - 1, 'of the voters to be, node 1 alone has it');
    one.step(appendResponse({ from: 2, term, index }));
    assert.equal(one.status.commit, index);
    one.run((node) => node.proposeConfChange(LEAVE_JOINT));
    one.acknowledge(2, 3);
    assert.deepEqual(one.host.confState, conf({ voters: [1, 2], learners: [3] }));
    assert.equal(one.peer(3).isLearner, true);
  },
);

testModes(
  'a leader that the joint configuration is to be left without leads it out (thesis §4.3)',
  (mode) => {
    const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
    cluster.elect(1);
    cluster.change(1, 'explicit', add(4), remove(1));
    cluster.settle();
    assert.equal(cluster.status(1).role, 'leader', 'it votes in the outgoing half');
    cluster.commit(1, 'joint');
    cluster.changeTo(1, LEAVE_JOINT);
    assert.equal(cluster.status(1).role, 'follower');
    cluster.tick([2, 3, 4], 25);
    const [leader] = cluster.leaders();
    cluster.commit(leader!, 'after');
    assert.deepEqual(cluster.host(leader!).confState, conf({ voters: [2, 3, 4] }));
  },
);
