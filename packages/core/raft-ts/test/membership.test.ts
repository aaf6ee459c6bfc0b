import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeConfChange,
  encodeConfChange,
  LEAVE_JOINT,
  type NodeChange,
} from '../src/conf-change.js';
import type { NodeId } from '../src/types.js';
import { Cluster, testModes } from './support/cluster.js';
import { bytesOf, conf } from './support/entries.js';
import { append, appendResponse, only, vote, voteResponse } from './support/messages.js';
import { Single } from './support/single.js';

const THREE = [1, 2, 3];

const add = (node: NodeId): NodeChange => ({ kind: 'addVoter', node });
const listen = (node: NodeId): NodeChange => ({ kind: 'addLearner', node });
const remove = (node: NodeId): NodeChange => ({ kind: 'remove', node });

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

testModes('a removed leader may lead on, but does not count itself (§6, thesis §4.2.2)', (mode) => {
  const cluster = new Cluster({ voters: THREE, stepDownOnRemoval: false, ...mode });
  cluster.elect(1);
  const before = cluster.lose(({ type, to }) => type === 'append' && to === 3);
  cluster.change(1, 'auto', remove(1));
  cluster.settle();
  assert.equal(cluster.status(1).role, 'leader');
  assert.throws(() => cluster.propose(1, 'no'), /the leader was removed/);
  const { commit } = cluster.status(1);
  before();
  cluster.tick(1, 2);
  for (const id of [2, 3]) {
    assert.deepEqual(cluster.host(id).confState.voters, [2, 3]);
    assert.equal(cluster.status(id).commit, commit);
  }
});

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

testModes('a candidate that learns of a change applies it before it leads (pitfall 12)', (mode) => {
  const data = encodeConfChange(auto(remove(3)));
  const one = new Single({ voters: THREE, ...mode, preVote: false });
  const change = { term: 1, index: 1, type: 'confChange' as const, data };
  one.step(append({ from: 3, term: 1, entries: [change] }));
  one.tick(10);
  assert.equal(one.status.role, 'candidate');
  const commit = { index: 1, term: 1 };
  one.step(voteResponse({ from: 2, term: 2, reject: true, commit: { index: 1, term: 9 } }));
  assert.equal(one.status.commit, 0, 'another entry is committed there');
  one.step(voteResponse({ from: 3, term: 2, commit }));
  assert.deepEqual([one.status.role, one.host.confState.voters], ['follower', [1, 2]]);
});

testModes('removed nodes cannot disrupt those that stay (§6)', (mode) => {
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

testModes(
  'one change at a time: what comes too early becomes an empty entry (thesis §4.1)',
  (mode) => {
    const one = new Single({ voters: THREE, ...mode });
    one.leadAndCommit(2, 3);
    one.run((node) => node.proposeConfChange(auto(add(4))));
    one.run((node) => node.proposeConfChange(auto(add(5))));
    one.acknowledge(2);
    assert.deepEqual(one.host.confState.voters, [1, 2, 3, 4]);
    const [, first, second] = one.applied;
    assert.deepEqual([first!.type, second!.type, second!.data.length], ['confChange', 'normal', 0]);
    one.run((node) => node.proposeConfChange(auto(add(5))));
    one.acknowledge(2, 3);
    assert.deepEqual(one.host.confState.voters, [1, 2, 3, 4, 5]);
  },
);

testModes('a change that cannot be made becomes an empty entry (thesis §4.1)', (mode) => {
  const one = new Single({ voters: [1, 2], ...mode });
  one.leadAndCommit(2);
  const refused = [LEAVE_JOINT, explicit(remove(1), remove(2)), auto(remove(1), remove(2))];
  for (const change of refused) one.run((node) => node.proposeConfChange(change));
  one.acknowledge(2);
  assert.ok(one.applied.every(({ type, data }) => type === 'normal' && data.length === 0));
  one.run((node) => node.proposeConfChange(explicit(add(3))));
  one.acknowledge(2);
  one.run((node) => node.proposeConfChange(auto(add(4))));
  one.acknowledge(2, 3);
  assert.deepEqual(one.host.confState.voters, [1, 2, 3], 'it is joint and must be left first');
});

test('rubbish in place of a change that a follower passed on harms nobody', () => {
  const one = new Single({ voters: THREE });
  one.leadAndCommit(2, 3);
  const rubbish = { type: 'confChange' as const, data: bytesOf('rubbish') };
  one.step({ type: 'propose', from: 2, to: 1, term: 0, entries: [rubbish] });
  one.acknowledge(2);
  assert.deepEqual([one.applied.at(-1)!.type, one.status.commit], ['normal', 2]);
});

test('a change that is refused does not take its neighbours along', () => {
  const one = new Single({ voters: THREE });
  one.leadAndCommit(2, 3);
  const change = (...changes: NodeChange[]) => {
    return { type: 'confChange' as const, data: encodeConfChange(auto(...changes)) };
  };
  const normal = { type: 'normal' as const, data: bytesOf('x') };
  const entries = [normal, change(add(4)), change(add(5)), normal];
  one.step({ type: 'propose', from: 2, to: 1, term: 0, entries });
  one.acknowledge(2, 3);
  assert.deepEqual(
    one.applied.slice(1).map(({ type, data }) => [type, data.length]),
    [
      ['normal', 1],
      ['confChange', 15],
      ['normal', 0],
      ['normal', 1],
    ],
  );
});

test('a host may check changes itself', () => {
  const one = new Single({ voters: THREE, disableConfChangeValidation: true });
  one.leadAndCommit(2, 3);
  one.run((node) => node.proposeConfChange(auto(add(4))));
  one.run((node) => node.proposeConfChange(auto(add(5))));
  one.acknowledge(2, 3);
  assert.deepEqual(one.host.confState.voters, [1, 2, 3, 4, 5]);
});

testModes(
  'no change is made before what the leader found in its log is applied (thesis §4.1)',
  (mode) => {
    const one = new Single({ voters: THREE, ...mode, terms: [1, 1] });
    one.lead(2);
    one.run((node) => node.proposeConfChange(auto(add(4))));
    one.acknowledge(2);
    assert.deepEqual(one.host.confState.voters, THREE);
    one.run((node) => node.proposeConfChange(auto(add(4))));
    one.acknowledge(2);
    assert.deepEqual(one.host.confState.voters, [1, 2, 3, 4]);
  },
);

testModes('a learner gets everything and counts for nothing (thesis §4.2.1)', (mode) => {
  const cluster = new Cluster({ voters: [1, 2], others: [3], ...mode });
  cluster.elect(1);
  cluster.commit(1, 'before');
  cluster.changeTo(1, { transition: 'auto', changes: [listen(3)] });
  assert.deepEqual(cluster.texts(3), ['before']);
  const cut = cluster.isolate(2);
  cluster.commit(1, 'alone');
  assert.deepEqual(cluster.texts(1), ['before'], 'the learner makes no majority');
  cluster.tick(3, 100);
  assert.equal(cluster.status(3).role, 'follower', 'nor does it campaign');
  cut();
});

testModes(
  'a learner that has caught up is promoted, and a voter demoted (thesis §4.2.1)',
  (mode) => {
    const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
    cluster.elect(1);
    cluster.changeTo(1, { transition: 'auto', changes: [listen(4)] });
    cluster.changeTo(1, { transition: 'auto', changes: [add(4)] });
    cluster.changeTo(1, { transition: 'auto', changes: [listen(2)] });
    const { voters, learners } = cluster.host(4).confState;
    assert.deepEqual([voters, learners], [[1, 3, 4], [2]]);
    assert.equal(cluster.peer(1, 2).isLearner, true);
    cluster.host(3).crash();
    cluster.commit(1, 'with 4');
    assert.deepEqual(cluster.texts(1), ['with 4']);
  },
);

testModes(
  'a new node is told from the start on, and is not taken for silent (RAFT.md 2.12)',
  (mode) => {
    const one = new Single({ voters: THREE, ...mode });
    one.leadAndCommit(2, 3);
    one.run((node) => node.proposeConfChange(auto(add(4))));
    const sent = only(one.acknowledge(2), 'append').filter(({ to }) => to === 4);
    assert.deepEqual(
      sent.map(({ prevIndex, entries }) => [prevIndex, entries.length]),
      [[1, 1]],
    );
    const { next, recentActive } = one.peer(4);
    assert.deepEqual([next, recentActive], [2, true]);
  },
);

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

testModes(
  'a change that cannot be applied leaves the configuration as it was, everywhere',
  (mode) => {
    const cluster = new Cluster({ voters: [1, 2], ...mode, disableConfChangeValidation: true });
    cluster.elect(1);
    cluster.change(1, 'explicit', remove(1), remove(2));
    cluster.settle();
    cluster.tick(1);
    for (const id of [1, 2]) assert.deepEqual(cluster.host(id).confState, conf({ voters: [1, 2] }));
    cluster.commit(1, 'on');
    assert.deepEqual(cluster.texts(2), ['on']);
  },
);

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

function auto(...changes: NodeChange[]) {
  return { transition: 'auto' as const, changes, context: new Uint8Array(0) };
}

function explicit(...changes: NodeChange[]) {
  return { transition: 'explicit' as const, changes, context: new Uint8Array(0) };
}
