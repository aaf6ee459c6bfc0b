// The pitfalls of docs/raft.md that have to do with the disk: what was promised is there after a crash.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRaftError } from '../src/errors.js';
import type { Message } from '../src/message.js';
import { NONE } from '../src/types.js';
import { Cluster, testModes } from './support/cluster.js';
import { bytesOf, entriesFrom, idsOf } from './support/entries.js';
import type { TestHost } from './support/host.js';
import {
  append,
  appendResponse,
  only,
  preVoteResponse,
  snapshotMessage,
  vote,
  voteResponse,
} from './support/messages.js';
import { Single } from './support/single.js';

const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

/** Takes `count` steps of any kind; returns whether there were as many. */
function takeSteps(host: TestHost, count: number): boolean {
  for (let taken = 0; taken < count; taken++) {
    const [thread] = host.runnable();
    if (host.canTake) host.take();
    else if (thread !== undefined) host.run(thread);
    else return false;
  }
  return true;
}

testModes(
  'whatever was answered survives a crash after any step (DurableBeforeTold, pitfall 1)',
  (mode) => {
    const script: Message[] = [
      append({ from: 2, term: 1, entries: entriesFrom(1, 1, 1) }),
      vote({ from: 3, term: 2, lastIndex: 9, lastTerm: 2 }),
      append({ from: 3, term: 2, prevIndex: 1, prevTerm: 1, entries: entriesFrom(2, 2, 2) }),
      vote({ from: 2, term: 3, lastIndex: 9, lastTerm: 3 }),
      snapshotMessage({ from: 2, term: 3 }),
    ];
    let crashes = 0;
    for (let last = 0; last < script.length; last++) {
      for (let steps = 0; ; steps++) {
        const one = new Single({ ...PLAIN, ...mode });
        for (const message of script.slice(0, last)) one.step(message);
        one.take();
        one.node.step(script[last]!);
        const more = takeSteps(one.host, steps);
        const answers = one.take();
        one.host.restart();
        for (const answer of answers) assertKept(one, answer);
        crashes++;
        if (!more) break;
      }
    }
    assert.ok(crashes > 15);
  },
);

function assertKept(one: Single, answer: Message): void {
  if (answer.type === 'appendResponse' && !answer.reject) {
    assert.ok(one.status.lastIndex >= answer.index, `entry ${answer.index} was acknowledged`);
  }
  if (answer.type === 'voteResponse' && !answer.reject && one.status.term === answer.term) {
    assert.equal(one.status.vote, answer.to, 'the vote was given');
  }
  assert.ok(one.status.term >= answer.term, `term ${answer.term} was told`);
}

test('a node that votes alone commits nothing before it is durable (pitfall 1)', () => {
  const one = new Single({ voters: [1], asyncStorageWrites: true });
  one.lead();
  one.node.propose(bytesOf('a'));
  const index = one.status.lastIndex;
  one.host.take();
  one.host.run('append');
  assert.equal(one.status.commit, index - 1, 'it is written, and not synced');
  one.host.run('append');
  assert.equal(one.status.commit, index - 1, 'it is synced, and nobody has said so');
  one.host.run('append');
  assert.equal(one.status.commit, index);
});

test('a leader does not count its own entry before it is durable (pitfall 1)', () => {
  const one = new Single({ ...PLAIN, voters: [1, 2, 3, 4], asyncStorageWrites: true });
  one.leadAndCommit(2, 3, 4);
  one.node.propose(bytesOf('a'));
  one.host.take();
  const { term, lastIndex: index } = one.status;
  for (const from of [2, 3]) one.node.step(appendResponse({ from, term, index }));
  assert.equal(one.status.commit, index - 1);
  one.host.pump();
  assert.equal(one.status.commit, index);
});

testModes('a crash between any two writes leaves what a replica can run on (pitfall 6)', (mode) => {
  let crashes = 0;
  for (let steps = 0; ; steps++) {
    const cluster = new Cluster({ voters: [1, 2, 3], ...mode });
    cluster.elect(1);
    const cut = cluster.isolate(3);
    cluster.commit(1, 'a', 'b', 'c');
    cluster.host(1).disk.compact(1);
    cut();
    cluster.propose(1, 'd');
    // Node 3 gets entries it refuses, a snapshot, and entries after it, and crashes on the way.
    const more = workSlowly(cluster, cluster.host(3), steps);
    cluster.host(3).restart(steps % 3);
    const { commit, applied, lastIndex } = cluster.status(3);
    assert.ok(applied <= commit && commit <= lastIndex);
    // The snapshot may have been lost with it, which its host finds out.
    cluster.node(1).reportSnapshot(3, false);
    cluster.tick(1, 5);
    cluster.commit(1, 'e');
    assert.deepEqual(cluster.host(3).machine, cluster.host(1).machine);
    crashes++;
    if (!more) break;
  }
  assert.ok(crashes > 10);
});

/** Everybody works at will but `slow`, which takes `steps` steps in all. */
function workSlowly(cluster: Cluster, slow: TestHost, steps: number): boolean {
  let left = steps;
  for (let turn = 0; turn < 40; turn++) {
    for (const host of cluster.hosts.values()) if (host !== slow) host.pump();
    const messages = cluster.inFlight;
    cluster.inFlight = [];
    for (const message of messages) cluster.deliver(message);
    while (left > 0 && takeSteps(slow, 1)) left--;
    if (left === 0 && slow.runnable().length > 0) return true;
    cluster.node(1).tick();
  }
  return left === 0;
}

test('a follower whose disk lost a committed entry does not start (pitfall 6)', () => {
  const one = new Single({ ...PLAIN, terms: [1, 1], hardState: { commit: 2 } });
  const { disk } = one.host;
  const lastIndex = disk.lastIndex.bind(disk);
  disk.lastIndex = () => lastIndex() - 1;
  assert.throws(
    () => one.host.restart(),
    (thrown) => isRaftError(thrown, 'StorageInvalid'),
  );
});

test('a candidate does not count its vote before it is durable (pitfall 26)', () => {
  const one = new Single({ ...PLAIN, asyncStorageWrites: true });
  one.node.campaign();
  one.node.step(voteResponse({ from: 2, term: 1 }));
  one.host.take();
  assert.equal(one.status.role, 'candidate');
  one.host.pump();
  assert.equal(one.status.role, 'leader');
});

test('nobody is asked for a vote in a term that a crash would have the asker forget (pitfall 1)', () => {
  // It might be elected twice in that term: with other entries, or by old answers to a log that it has lost.
  const one = new Single({ ...PLAIN, asyncStorageWrites: true });
  one.node.step(append({ from: 2, term: 1, entries: entriesFrom(1, 1) }));
  one.node.campaign();
  one.host.take();
  const steps = ['write', 'sync'].map(() => one.host.run('append'));
  assert.deepEqual(steps, ['write', 'sync']);
  assert.deepEqual(one.take(), []);
  one.host.run('append');
  const requests = only(one.take(), 'vote');
  assert.deepEqual(
    requests.map(({ to, term, lastIndex }) => [to, term, lastIndex]),
    [
      [2, 2, 1],
      [3, 2, 1],
    ],
  );
  one.host.restart();
  assert.deepEqual([one.status.term, one.status.vote, one.status.lastIndex], [2, 1, 1]);
});

test('a replica says nothing to itself but through its disk (pitfall 26)', () => {
  const one = new Single({ voters: [1], asyncStorageWrites: true });
  one.node.campaign();
  const { append: work } = one.node.ready();
  assert.deepEqual(
    work!.messages.map(({ type, to }) => [type, to]),
    [['preVoteResponse', 1]],
  );
  one.node.acknowledgeAppend(work!);
  assert.equal(one.status.role, 'candidate');
  assert.equal(one.status.vote, 1);
});

test('the write of a tail that was replaced meanwhile acknowledges nothing of the new one (pitfall 9)', () => {
  // Entry 2 of term 1 is being written; it is replaced in term 2; and in term 3 the same entry comes back.
  const one = new Single({ ...PLAIN, asyncStorageWrites: true, terms: [1] });
  const write = (from: number, term: number, ...terms: number[]) => {
    const entries = entriesFrom(2, ...terms);
    one.node.step(append({ from, term, prevIndex: 1, prevTerm: 1, entries }));
    return one.node.ready().append!;
  };
  const first = write(2, 1, 1);
  const second = write(3, 2, 2);
  const third = write(2, 3, 1);
  one.node.step(append({ from: 2, term: 3, prevIndex: 2, prevTerm: 1, commit: 2 }));
  assert.equal(idsOf(one.node.ready().apply!.entries), '1/1');
  for (const work of [first, second]) {
    one.host.disk.writeAppend(work);
    one.node.acknowledgeAppend(work);
    assert.equal(one.node.ready().apply, undefined, 'entry 2 is written, goes, and comes again');
  }
  one.host.disk.writeAppend(third);
  one.node.acknowledgeAppend(third);
  assert.equal(idsOf(one.node.ready().apply!.entries), '2/1');
});

test('the vote of a term outlives a restart in the middle of it (pitfall 8)', () => {
  const one = new Single({ ...PLAIN, voters: [1, 2, 3], preVote: true, checkQuorum: true });
  one.tick(10);
  one.step(preVoteResponse({ from: 2, term: 1 }));
  assert.deepEqual([one.status.term, one.status.vote], [1, 1]);
  one.host.restart();
  assert.deepEqual([one.status.term, one.status.vote, one.status.lead], [1, 1, NONE]);
  const [answer] = one.step(vote({ from: 3, term: 1 }));
  assert.ok(answer?.type === 'voteResponse' && answer.reject);
});
