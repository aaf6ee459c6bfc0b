import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfChange, encodeConfChange } from '../src/conf-change.js';
import { RaftError } from '../src/errors.js';
import { Cluster, laggingCluster, testModes } from './support/cluster.js';
import { conf, entriesFrom, snapshotAt } from './support/entries.js';
import {
  append,
  appendResponse,
  heartbeatResponse,
  only,
  snapshotMessage,
} from './support/messages.js';
import { Single } from './support/single.js';

const THREE = [1, 2, 3];

const PLAIN = { voters: THREE, preVote: false, checkQuorum: false };

testModes('a node is caught up by a snapshot from before it was added', (mode) => {
  const cluster = new Cluster({ voters: [1, 2], others: [3], ...mode });
  cluster.elect(1);
  cluster.commit(1, 'a', 'b');
  for (const id of [1, 2]) cluster.host(id).disk.compact(0);
  cluster.changeTo(1, { transition: 'auto', changes: [{ kind: 'addVoter', node: 3 }] });
  cluster.tick(1, 3);
  assert.equal(only(cluster.sent, 'snapshot').length, 1);
  assert.deepEqual(cluster.host(3).machine, cluster.host(1).machine);
  assert.deepEqual(cluster.host(3).confState.voters, [1, 2, 3]);
});

test('entries after a snapshot are written with it, and applied after it (pitfall 15)', () => {
  const one = new Single({ ...PLAIN, asyncStorageWrites: true });
  one.node.step(snapshotMessage({ from: 2, term: 1, snapshot: snapshotAt(9, 1, THREE) }));
  one.node.step(
    append({
      from: 2,
      term: 1,
      prevIndex: 9,
      prevTerm: 1,
      entries: entriesFrom(10, 1),
      commit: 10,
    }),
  );
  const ready = one.host.take();
  assert.deepEqual([ready.append!.snapshot!.index, ready.append!.entries.length], [9, 1]);
  assert.equal(ready.apply, undefined);
  one.host.pump();
  assert.deepEqual([one.host.machine.index, one.status.applied], [10, 10]);
});

test('no snapshot is made for a node that is not heard of (contract 11)', () => {
  const one = new Single({ ...PLAIN, checkQuorum: true });
  one.leadAndCommit(2, 3);
  one.propose('a');
  one.acknowledge(2);
  one.host.disk.compact(0);
  one.node.reportUnreachable(3);
  const { term } = one.status;
  one.tick(9);
  one.step(heartbeatResponse({ from: 2, term }));
  one.tick();
  assert.equal(one.peer(3).recentActive, false);
  assert.deepEqual(
    one.propose('b').map(({ to }) => to),
    [2],
  );
  const sent = only(one.step(heartbeatResponse({ from: 3, term })), 'snapshot');
  assert.equal(sent.length, 1);
});

test('nothing but heartbeats goes to a node while a snapshot is on its way to it', () => {
  const cluster = laggingCluster({ asyncStorageWrites: false });
  const lost = cluster.lose(({ type }) => type === 'snapshot');
  cluster.tick(1, 3);
  const before = cluster.sent.length;
  cluster.propose(1, 'x');
  cluster.tick(1, 5);
  const toThree = cluster.sent.slice(before).filter(({ to }) => to === 3);
  assert.ok(toThree.every(({ type }) => type === 'heartbeat'));
  assert.equal(cluster.peer(1, 3).state, 'snapshot');
  lost();
});

testModes('a snapshot that was lost is sent again once the host says so (pitfall 15)', (mode) => {
  const cluster = laggingCluster(mode);
  const lost = cluster.lose(({ type }) => type === 'snapshot');
  cluster.tick(1, 3);
  lost();
  cluster.node(1).reportSnapshot(3, false);
  assert.deepEqual([cluster.peer(1, 3).state, cluster.peer(1, 3).paused], ['probe', true]);
  cluster.tick(1, 3);
  assert.deepEqual(cluster.host(3).machine, cluster.host(1).machine);
});

test('a delivered snapshot is followed by what comes after it, once the node is heard of', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2);
  one.propose('a');
  one.acknowledge(2);
  one.host.disk.compact(0);
  const { term } = one.status;
  one.step(appendResponse({ from: 3, term, index: 0, reject: true }));
  assert.deepEqual([one.peer(3).state, one.peer(3).pendingSnapshot], ['snapshot', 2]);
  one.propose('b');
  one.acknowledge(2);
  one.node.reportSnapshot(3, true);
  assert.deepEqual([one.peer(3).state, one.peer(3).next], ['probe', 3]);
  const [next] = only(one.step(heartbeatResponse({ from: 3, term })), 'append');
  assert.deepEqual([next!.prevIndex, next!.entries.length], [2, 1]);
});

test('any answer that reconnects the logs ends the sending of a snapshot (contract 11)', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2);
  for (const text of 'abcd') one.propose(text);
  one.acknowledge(2);
  one.host.disk.compact(2);
  const { term } = one.status;
  one.step(appendResponse({ from: 3, term, index: 0, reject: true }));
  assert.equal(one.peer(3).pendingSnapshot, 5);
  one.step(appendResponse({ from: 3, term, index: 2 }));
  assert.equal(one.peer(3).state, 'snapshot', 'entry 3 is compacted: index 2 does not reconnect');
  // Another leader's snapshot, at 3, got there first.
  one.step(appendResponse({ from: 3, term, index: 3 }));
  assert.deepEqual([one.peer(3).state, one.peer(3).match, one.peer(3).next], ['replicate', 3, 6]);
});

test('a host that has no snapshot to give now is asked again', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2);
  one.propose('a');
  one.acknowledge(2);
  one.host.disk.compact(0);
  const { disk } = one.host;
  const give = disk.snapshot.bind(disk);
  disk.snapshot = () => {
    throw new RaftError('SnapshotTemporarilyUnavailable', 'in a moment');
  };
  const { term } = one.status;
  assert.deepEqual(one.step(appendResponse({ from: 3, term, index: 0, reject: true })), []);
  disk.snapshot = give;
  const sent = one.step(heartbeatResponse({ from: 3, term }));
  assert.equal(only(sent, 'snapshot').length, 1);
});

testModes('entries that are being applied come before the snapshot that overtook them', (mode) => {
  const one = new Single({ ...PLAIN, ...mode });
  const addsFour = { transition: 'auto', changes: [{ kind: 'addLearner', node: 4 }] } as const;
  const change = confChangeEntry(1, addsFour);
  one.node.step(append({ from: 2, term: 1, entries: [change, ...entriesFrom(2, 1)], commit: 2 }));
  if (mode.asyncStorageWrites) {
    one.host.take();
    one.host.run('append');
    one.host.run('append');
    one.host.run('append');
  }
  one.host.take();
  // The entries are handed out; before one of them is applied the snapshot comes.
  const later = { ...snapshotAt(9, 1, [1, 2]), confState: conf({ voters: [1, 2], learners: [5] }) };
  one.node.step(snapshotMessage({ from: 2, term: 1, snapshot: later }));
  assert.deepEqual(one.node.status().conf, later.confState);
  const applied: string[] = [];
  while (one.host.runnable().length > 0 || one.host.canTake) {
    if (one.host.canTake) one.host.take();
    for (const thread of one.host.runnable()) one.host.run(thread);
    const { machine, confState } = one.host.disk.applied;
    applied.push(`${machine.index}: ${confState.voters} ${confState.learners}`);
  }
  assert.ok(applied.includes('2: 1,2,3 4'), `the host was told of its own past: ${applied}`);
  assert.equal(applied.at(-1), '9: 1,2 5', 'the snapshot came last');
  assert.deepEqual(one.node.status().conf, later.confState);
});

test('a snapshot that overtakes another one is installed after it', () => {
  const one = new Single({ ...PLAIN, asyncStorageWrites: true });
  for (const [index, voters] of [
    [9, [1, 2]],
    [20, [1, 3]],
  ] as const) {
    const snapshot = snapshotAt(index, 1, voters);
    one.node.step(snapshotMessage({ from: 2, term: 1, snapshot }));
    one.host.take();
  }
  assert.equal(one.status.commit, 20);
  for (let step = 0; step < 3; step++) one.host.run('append');
  assert.deepEqual([one.host.machine.index, one.status.applied], [9, 9]);
  assert.deepEqual(one.node.status().conf.voters, [1, 3]);
  one.host.pump();
  assert.deepEqual([one.host.machine.index, one.status.applied], [20, 20]);
  assert.deepEqual(
    only(one.take(), 'appendResponse').map(({ index }) => index),
    [9, 20],
  );
});

test('a log is never compacted beyond its snapshot', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2);
  one.propose('a');
  one.acknowledge(2);
  one.host.disk.compact(0);
  one.host.disk.snapshot = () => snapshotAt(1, 1, THREE);
  const { term } = one.status;
  assert.throws(() => one.step(appendResponse({ from: 3, term, index: 0, reject: true })), {
    name: 'RaftAssertionError',
  });
});

function confChangeEntry(index: number, change: Parameters<typeof encode>[0]) {
  return { term: 1, index, type: 'confChange' as const, data: encode(change) };
}

function encode(change: Omit<ConfChange, 'context'>): Uint8Array {
  return encodeConfChange({ ...change, context: new Uint8Array(0) });
}
