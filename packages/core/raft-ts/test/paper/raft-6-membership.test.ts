// Raft §6: cluster membership changes by joint consensus.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeConfChange, LEAVE_JOINT } from '../../src/conf-change.js';
import type { NodeId } from '../../src/types.js';
import { add, auto, explicit, listen, remove } from '../support/changes.js';
import { Cluster, testModes } from '../support/cluster.js';
import { conf } from '../support/entries.js';
import { appendResponse, vote } from '../support/messages.js';
import { Single } from '../support/single.js';

const THREE = [1, 2, 3];

testModes('a joint configuration needs both majorities to commit (§6)', (mode) => {
  const one = new Single({ voters: THREE, ...mode });
  one.leadAndCommit(2, 3);
  one.run((node) => node.proposeConfChange(explicit(add(4), add(5), remove(2), remove(3))));
  one.acknowledge(2);
  const joint = one.host.confState;
  assert.deepEqual([joint.voters, joint.votersOutgoing], [[1, 4, 5], THREE]);
  one.propose('a');
  const index = one.status.lastIndex;
  one.acknowledge(2);
  assert.ok(one.status.commit < index, 'the old majority alone does not commit');
  one.acknowledge(4);
  assert.equal(one.status.commit, index);
  one.propose('b');
  one.acknowledge(4, 5);
  assert.equal(one.status.commit, index, 'the new majority alone does not commit');
});

testModes('a joint configuration needs both majorities to elect (§6)', (mode) => {
  const cluster = new Cluster({ voters: THREE, others: [4, 5], ...mode });
  cluster.elect(1);
  cluster.changeTo(1, explicit(add(4), add(5), remove(2), remove(3)));
  const table: readonly (readonly [up: NodeId[], elected: boolean])[] = [
    [[1, 4, 5], false],
    [[1, 2, 3], false],
    [[1, 2, 4], true],
  ];
  for (const [up, elected] of table) {
    const cut = cluster.lose(({ from, to }) => !up.includes(from) || !up.includes(to));
    for (const id of up) cluster.node(id).forgetLeader();
    cluster.tick(1, 25);
    cluster.node(1).campaign();
    cluster.settle();
    assert.equal(cluster.status(1).role === 'leader', elected, `with ${up}`);
    cut();
  }
});

testModes(
  'a joint configuration is left for the new one, by itself if that was asked (§6)',
  (mode) => {
    for (const transition of ['auto', 'implicit'] as const) {
      const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
      cluster.elect(1);
      const changes = transition === 'auto' ? [add(4), remove(3)] : [add(4)];
      const after = cluster.changeTo(1, { transition, changes });
      assert.deepEqual(after.votersOutgoing, []);
      assert.deepEqual(after.voters, transition === 'auto' ? [1, 2, 4] : [1, 2, 3, 4]);
      assert.deepEqual(cluster.host(4).confState, after);
      const kinds = cluster.applied.get(1)!.filter(({ type }) => type === 'confChange');
      assert.deepEqual(
        kinds.map(({ data }) => decodeConfChange(data).changes.length),
        [changes.length, 0],
      );
    }
  },
);

testModes(
  'a leader that the new configuration is without steps down, and others go on (§6)',
  (mode) => {
    const cluster = new Cluster({ voters: THREE, ...mode });
    cluster.elect(1);
    cluster.changeTo(1, { transition: 'auto', changes: [remove(1)] });
    assert.equal(cluster.status(1).role, 'follower');
    cluster.tick(THREE, 25);
    const [leader] = cluster.leaders();
    assert.ok(leader === 2 || leader === 3);
    cluster.commit(leader, 'after');
    assert.deepEqual(cluster.texts(5 - leader), ['after']);
    assert.deepEqual(cluster.host(2).confState.voters, [2, 3]);
  },
);

testModes('those that stay need no vote of a removed leader whose log is longer (§6)', (mode) => {
  for (const preVote of [true, false]) {
    const cluster = new Cluster({ voters: [1, 2], others: [3], ...mode, preVote });
    cluster.elect(1);
    cluster.changeTo(1, explicit(add(3), remove(1)));
    const leave = cluster.status(1).lastIndex + 1;
    // Node 2 gets more entries than node 3, and never hears that the last change is committed.
    const cut = cluster.lose((message) => {
      if (message.type !== 'append') return message.type === 'heartbeat';
      if (message.to === 2 && message.commit >= leave) return true;
      return message.entries.some(({ index }) => index > (message.to === 2 ? leave + 1 : leave));
    });
    cluster.node(1).proposeConfChange(LEAVE_JOINT);
    for (const text of ['x', 'y', 'z']) cluster.propose(1, text);
    cluster.settle();
    assert.deepEqual([cluster.status(1).role, cluster.status(1).commit], ['follower', leave]);
    assert.deepEqual(
      [2, 3].map((id) => cluster.status(id).lastIndex),
      [leave + 1, leave],
    );
    assert.ok(cluster.status(2).commit < leave);
    cut();
    cluster.tick([1, 2, 3], 100);
    const [leader] = cluster.leaders();
    assert.ok(leader !== undefined, 'somebody is elected');
    assert.deepEqual(cluster.host(leader).confState, conf({ voters: [2, 3] }));
  }
});

testModes('removed nodes cannot disrupt those that stay (§6, thesis §4.2.3)', (mode) => {
  const cluster = new Cluster({ voters: [1, 2, 3, 4], ...mode, preVote: false });
  cluster.elect(1);
  // Node 4 never learns that it was removed, and campaigns again and again.
  const deaf = cluster.lose(({ to }) => to === 4);
  cluster.changeTo(1, { transition: 'auto', changes: [remove(4)] });
  const { term } = cluster.status(1);
  cluster.tick([1, 2, 3, 4], 60);
  assert.ok(cluster.status(4).term > term);
  assert.deepEqual([cluster.leaders(), cluster.status(1).term], [[1], term]);
  deaf();
});

testModes('a smaller quorum commits what the larger one lacked (§6)', (mode) => {
  const one = new Single({ voters: [1, 2, 3, 4], ...mode });
  one.leadAndCommit(2, 3, 4);
  one.run((node) => node.proposeConfChange(auto(remove(4))));
  one.propose('a');
  const { term, lastIndex } = one.status;
  one.step(appendResponse({ from: 2, term, index: lastIndex }));
  one.step(appendResponse({ from: 3, term, index: lastIndex - 1 }));
  assert.deepEqual([one.host.confState.voters, one.status.commit], [THREE, lastIndex]);
});

test('a voter that is on its way out still votes and may be elected (§6)', () => {
  const one = new Single({ voters: [1, 2, 3] });
  one.leadAndCommit(2, 3);
  one.run((node) => node.proposeConfChange(explicit(remove(1), add(4))));
  one.acknowledge(2);
  assert.deepEqual(one.host.confState.voters, [2, 3, 4]);
  one.step(vote({ from: 9, term: 9, transfer: true }));
  one.host.restart(99);
  one.run((node) => node.campaign());
  assert.equal(one.status.role, 'preCandidate');
});

testModes('a server that is new does not hold commits up while it catches up (§6)', (mode) => {
  const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
  cluster.elect(1);
  cluster.commit(1, 'a', 'b');
  const deaf = cluster.lose(({ to, type }) => to === 4 && type === 'append');
  cluster.changeTo(1, auto(listen(4)));
  cluster.host(3).crash();
  cluster.commit(1, 'c');
  assert.deepEqual(cluster.texts(2), ['a', 'b', 'c'], 'two of three voters are enough');
  deaf();
  cluster.tick(1, 2);
  assert.deepEqual(cluster.texts(4), ['a', 'b', 'c']);
});
