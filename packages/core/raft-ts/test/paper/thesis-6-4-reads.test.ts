// Thesis §6.4: read-only queries without log entries; §6.4.1: by leases.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE, type NodeId } from '../../src/types.js';
import { Cluster, testModes } from '../support/cluster.js';
import { bytesOf } from '../support/entries.js';
import { heartbeat, heartbeatResponse, only, preVote, vote } from '../support/messages.js';
import { answers, read } from '../support/reads.js';
import { Single } from '../support/single.js';

const THREE = { voters: [1, 2, 3] };

testModes('a read is good at the commit index of the moment it came (thesis §6.4)', (mode) => {
  const one = new Single({ ...THREE, ...mode });
  one.leadAndCommit(2, 3);
  const [first] = only(read(one, 'early'), 'heartbeat');
  one.propose('a');
  one.acknowledge(2);
  const [second] = only(read(one, 'late'), 'heartbeat');
  const { term } = one.status;
  one.step(heartbeatResponse({ from: 2, term, readRound: first!.readRound }));
  assert.deepEqual(answers(one.reads), ['early@1']);
  one.step(heartbeatResponse({ from: 2, term, readRound: second!.readRound }));
  assert.deepEqual(answers(one.reads), ['early@1', 'late@2']);
});

test('an answer to a later round confirms the earlier reads too (thesis §6.4)', () => {
  const one = new Single(THREE);
  one.leadAndCommit(2, 3);
  read(one, 'a');
  const [, round] = only(read(one, 'b'), 'heartbeat').map(({ readRound }) => readRound);
  one.step(heartbeatResponse({ from: 3, term: 1, readRound: round! }));
  assert.deepEqual(answers(one.reads), ['a@1', 'b@1']);
});

test('a round that was lost is asked again by the next heartbeat (thesis §6.4)', () => {
  const one = new Single(THREE);
  one.leadAndCommit(2, 3);
  const [lost] = only(read(one, 'a'), 'heartbeat');
  const [again] = only(one.tick(), 'heartbeat');
  assert.equal(again!.readRound, lost!.readRound);
  one.step(heartbeatResponse({ from: 2, term: 1, readRound: again!.readRound }));
  assert.deepEqual(answers(one.reads), ['a@1']);
});

testModes('a follower asks its leader for the index (thesis §6.4)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode });
  cluster.elect(1);
  cluster.commit(1, 'a');
  cluster.node(2).readIndex(bytesOf('r'));
  cluster.settle();
  assert.deepEqual(answers(cluster.reads.get(2)!), ['r@2']);
  assert.deepEqual(answers(cluster.reads.get(1)!), []);
});

testModes('a node that votes alone needs nobody to confirm it (thesis §6.4)', (mode) => {
  const one = new Single({ voters: [1], ...mode });
  one.lead();
  read(one, 'r');
  assert.deepEqual(answers(one.reads), ['r@1']);
});

testModes('in a joint configuration both majorities confirm a read (§6, thesis §6.4)', (mode) => {
  const one = new Single({ ...THREE, ...mode });
  one.leadAndCommit(2, 3);
  const changes = ([4, 5] as const).map((node) => ({ kind: 'addVoter' as const, node }));
  const removals = ([2, 3] as const).map((node) => ({ kind: 'remove' as const, node }));
  one.run((node) =>
    node.proposeConfChange({
      transition: 'explicit',
      changes: [...changes, ...removals],
      context: bytesOf(''),
    }),
  );
  one.acknowledge(2, 3);
  assert.deepEqual(one.host.confState.voters, [1, 4, 5]);
  const [asked] = only(read(one, 'r'), 'heartbeat');
  const confirm = (from: NodeId) =>
    one.step(heartbeatResponse({ from, term: 1, readRound: asked!.readRound }));
  confirm(2);
  confirm(3);
  assert.deepEqual(one.reads, [], 'the old majority alone does not confirm');
  confirm(4);
  assert.deepEqual(answers(one.reads), ['r@2']);
});

testModes(
  'a change that makes the quorum smaller releases what it confirms (thesis §6.4)',
  (mode) => {
    const one = new Single({ voters: [1, 2, 3, 4], ...mode });
    one.leadAndCommit(2, 3, 4);
    one.run((node) =>
      node.proposeConfChange({
        transition: 'auto',
        changes: [{ kind: 'remove', node: 4 }],
        context: bytesOf(''),
      }),
    );
    const [asked] = only(read(one, 'r'), 'heartbeat');
    one.step(heartbeatResponse({ from: 2, term: 1, readRound: asked!.readRound }));
    assert.deepEqual(one.reads, [], 'two of four are no majority');
    one.acknowledge(2, 3);
    assert.deepEqual(answers(one.reads), ['r@1']);
  },
);

const LEASE = { ...THREE, readOnly: 'lease' as const };

/** A leader with a lease whose round began at this tick. */
function withLease(): Single {
  const one = new Single(LEASE);
  one.tick(10);
  one.lead(2);
  one.acknowledge(2, 3);
  confirmTick(one);
  return one;
}

/** A tick passes, and a follower answers its heartbeat. */
function confirmTick(one: Single): void {
  const [asked] = only(one.tick(), 'heartbeat');
  one.step(heartbeatResponse({ from: 2, term: one.status.term, readRound: asked!.readRound }));
}

test('with a lease a read needs no round (thesis §6.4.1)', () => {
  const one = withLease();
  assert.deepEqual(only(read(one, 'r'), 'heartbeat'), []);
  assert.deepEqual(answers(one.reads), ['r@1']);
});

test('a follower’s read, too, is answered at once by who has a lease (thesis §6.4.1)', () => {
  const one = withLease();
  const request = { type: 'readIndex', from: 3, to: 1, term: 0, context: bytesOf('r') } as const;
  const [answer] = only(one.step(request), 'readIndexResponse');
  assert.deepEqual([answer!.to, answer!.index], [3, 1]);
});

test('a lease ends an election timeout after the round that a majority answered (thesis §6.4.1)', () => {
  const one = withLease();
  one.tick(8);
  read(one, 'in time');
  assert.deepEqual(answers(one.reads), ['in time@1']);
  one.tick();
  const asked = only(read(one, 'late'), 'heartbeat');
  assert.deepEqual([one.reads.length, asked.length], [1, 2], 'it goes on by rounds');
  one.step(heartbeatResponse({ from: 3, term: 1, readRound: asked[0]!.readRound }));
  assert.deepEqual(answers(one.reads), ['in time@1', 'late@1']);
});

test('nobody answers a round before the lease: a new leader has none (thesis §6.4.1)', () => {
  const one = new Single(LEASE);
  one.tick(10);
  one.lead(2);
  one.acknowledge(2, 3);
  assert.equal(only(read(one, 'r'), 'heartbeat').length, 2);
  assert.deepEqual(one.reads, []);
});

test('a change of the configuration ends the lease (thesis §6.4.1)', () => {
  const one = withLease();
  one.run((node) =>
    node.proposeConfChange({
      transition: 'auto',
      changes: [{ kind: 'addVoter', node: 4 }],
      context: bytesOf(''),
    }),
  );
  one.acknowledge(2, 3);
  read(one, 'r');
  assert.deepEqual(one.reads, []);
});

test('a node bound to a leader neither votes nor campaigns, whatever it forgets (thesis §6.4.1)', () => {
  const one = new Single(LEASE);
  one.tick(10);
  one.step(heartbeat({ from: 2, term: 1 }));
  one.node.forgetLeader();
  assert.equal(one.status.lead, 2);
  one.run((node) => node.campaign());
  assert.equal(one.status.role, 'follower');
  one.tick(9);
  assert.deepEqual(one.step(preVote({ from: 3, term: 2 })), []);
  one.tick();
  assert.notEqual(one.status.lead, 2);
});

test('a node that starts may be bound to a leader it no longer knows (thesis §6.4.1)', () => {
  const one = new Single({ ...LEASE, hardState: { term: 1 } });
  one.run((node) => node.campaign());
  assert.equal(one.status.role, 'follower');
  one.tick(9);
  assert.deepEqual(one.step(vote({ from: 3, term: 2 })), []);
  assert.equal(one.status.vote, NONE);
  one.tick();
  one.step(vote({ from: 3, term: 2 }));
  assert.equal(one.status.vote, 3);
  const safe = new Single({ ...THREE, hardState: { term: 1 } });
  safe.step(vote({ from: 3, term: 2 }));
  assert.equal(safe.status.vote, 3, 'without leases it is free');
});

testModes(
  'a leader with a lease is not deposed while the lease lasts (thesis §6.4.1, LeaseEndsFirst)',
  (mode) => {
    const cluster = new Cluster({ ...LEASE, ...mode });
    cluster.tick([1, 2, 3], 10);
    cluster.tick([1, 2, 3], 10);
    const [leader] = cluster.leaders();
    assert.ok(leader !== undefined);
    cluster.tick([1, 2, 3]);
    cluster.isolate(leader);
    const challenger = leader === 1 ? 2 : 1;
    for (let passed = 0; cluster.leaders().length < 2; passed++) {
      assert.ok(passed < 100, 'another is elected in the end');
      cluster.node(challenger).campaign();
      cluster.tick([1, 2, 3]);
      const reads = cluster.reads.get(leader)!.length;
      cluster.node(leader).readIndex(bytesOf(`${passed}`));
      cluster.settle();
      const served = cluster.reads.get(leader)!.length > reads;
      if (passed < 8) assert.ok(served, 'the lease lasts');
      if (cluster.leaders().length > 1) assert.ok(!served, 'no two leaders read at the same time');
    }
  },
);

testModes(
  'an index to read at may lie before what has been applied, or behind it (thesis §6.4)',
  (mode) => {
    const cluster = new Cluster({ ...THREE, ...mode });
    cluster.elect(1);
    // Node 2 does not hear of the commit; its host must wait until it has.
    cluster.lose(({ to, type }) => to === 2 && (type === 'heartbeat' || type === 'append'));
    cluster.commit(1, 'a');
    cluster.node(2).readIndex(bytesOf('r'));
    cluster.settle();
    assert.deepEqual(answers(cluster.reads.get(2)!), ['r@2']);
    assert.ok(cluster.status(2).applied < 2);
  },
);
