// The pitfalls of docs/raft.md that have to do with messages, elections, reads and membership: for each
// the smallest test that catches it. Those of the disk are in pitfalls-durability.test.ts.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeConfChange } from '../src/conf-change.js';
import { NONE } from '../src/types.js';
import { auto } from './support/changes.js';
import { Cluster, testModes } from './support/cluster.js';
import { bytesOf, entriesFrom, entry, textOf } from './support/entries.js';
import {
  append,
  appendResponse,
  heartbeat,
  heartbeatResponse,
  only,
  preVote,
  vote,
} from './support/messages.js';
import { Single } from './support/single.js';

const THREE = { voters: [1, 2, 3] };

const PLAIN = { ...THREE, preVote: false, checkQuorum: false };

testModes('an append that comes late takes nothing away (pitfall 3)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode });
  one.step(append({ from: 2, term: 1, entries: entriesFrom(1, 1, 1, 1, 1, 1) }));
  const [answer] = only(
    one.step(append({ from: 2, term: 1, entries: entriesFrom(1, 1, 1, 1) })),
    'appendResponse',
  );
  assert.deepEqual([answer!.index, one.status.lastIndex], [3, 5]);
});

testModes('neither commits nor reads come before an entry of the own term (pitfall 4)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, terms: [1, 1] });
  one.lead(2);
  const { term } = one.status;
  for (const from of [2, 3]) one.step(appendResponse({ from, term, index: 2 }));
  one.run((node) => node.readIndex(bytesOf('r')));
  for (const from of [2, 3]) one.step(heartbeatResponse({ from, term, readRound: 1 }));
  assert.deepEqual([one.status.commit, one.reads], [0, []]);
});

testModes(
  'a follower commits no further than the entries it was sent (CommitWithinReach, pitfall 5)',
  (mode) => {
    const one = new Single({ ...PLAIN, ...mode, terms: [1, 1, 1] });
    const message = append({ from: 2, term: 2, prevIndex: 1, prevTerm: 1, commit: 3 });
    one.step({ ...message, entries: entriesFrom(2, 1) });
    assert.equal(one.status.commit, 2, 'entry 3 may not be the leader’s');
  },
);

testModes(
  'a heartbeat commits no further than the receiver is known to hold (CommitWithinReach, pitfall 5)',
  (mode) => {
    const one = new Single({ ...PLAIN, ...mode });
    one.leadAndCommit(2);
    const { term } = one.status;
    one.step(appendResponse({ from: 3, term, index: 0, reject: true }));
    const beats = only(one.tick(), 'heartbeat');
    assert.deepEqual(
      beats.map(({ to, commit, match }) => [to, commit, match]),
      [
        [2, 1, 1],
        [3, 0, 0],
      ],
    );
  },
);

test('logs are compared by term first and index second, for every pair (pitfall 8)', () => {
  const logs = [[1], [1, 1], [1, 2], [2], [2, 2], [1, 1, 1], [1, 3]];
  for (const ours of logs) {
    for (const theirs of logs) {
      const one = new Single({ ...PLAIN, terms: ours, hardState: { term: 5 } });
      const request = { from: 2, term: 6, lastIndex: theirs.length, lastTerm: theirs.at(-1)! };
      const [answer] = only(one.step(vote(request)), 'voteResponse');
      const isLess =
        theirs.at(-1)! < ours.at(-1)! ||
        (theirs.at(-1)! === ours.at(-1)! && theirs.length < ours.length);
      assert.equal(answer!.reject, isLess, `${theirs} asks ${ours}`);
    }
  }
});

testModes(
  'an acknowledgement that comes again or late moves nothing back (MatchOnlyGrows, pitfall 9)',
  (mode) => {
    const one = new Single({ ...PLAIN, ...mode });
    one.leadAndCommit(2, 3);
    for (const text of 'abc') one.propose(text);
    const { term, lastIndex } = one.status;
    const answers = [lastIndex, 2, lastIndex, 1].map((index) =>
      appendResponse({ from: 2, term, index }),
    );
    for (const answer of answers) {
      one.step(answer);
      assert.equal(one.peer(2).match, lastIndex);
    }
    one.step(appendResponse({ from: 2, term, index: 2, reject: true }));
    assert.deepEqual([one.peer(2).match, one.peer(2).next], [lastIndex, lastIndex + 1]);
  },
);

testModes('an acknowledgement of an earlier term counts for nothing (pitfall 9)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, terms: [1, 1, 1], hardState: { term: 2 } });
  one.lead(2);
  one.step(appendResponse({ from: 2, term: 2, index: 3 }));
  assert.equal(one.peer(2).match, 0);
});

testModes(
  'an answer to an earlier round confirms no later read (ReadsSeeTheirPast, pitfall 10)',
  (mode) => {
    const one = new Single({ ...THREE, ...mode });
    one.leadAndCommit(2, 3);
    const { term } = one.status;
    const rounds = ['a', 'a'].map((context) => {
      const [asked] = only(
        one.run((node) => node.readIndex(bytesOf(context))),
        'heartbeat',
      );
      return asked!.readRound;
    });
    assert.notEqual(rounds[0], rounds[1], 'the same context twice is two reads');
    const stale = heartbeatResponse({ from: 2, term, readRound: rounds[0]! });
    for (let times = 0; times < 3; times++) one.step(stale);
    one.step({ ...stale, from: 3 });
    assert.equal(one.reads.length, 1);
    one.step({ ...stale, readRound: rounds[1]! });
    assert.equal(one.reads.length, 2);
  },
);

test('a lease does not outlive the request to hand it over (pitfall 10)', () => {
  const one = new Single({ ...THREE, readOnly: 'lease' });
  one.tick(10);
  one.leadAndCommit(2, 3);
  const [asked] = only(one.tick(), 'heartbeat');
  one.step(heartbeatResponse({ from: 2, term: 1, readRound: asked!.readRound }));
  one.run((node) => node.transferLeader(2));
  one.run((node) => node.readIndex(bytesOf('r')));
  assert.deepEqual(one.reads, [], 'node 2 may have been elected by now');
  // Nor does it come back when the transfer is given up: the request may still be on its way.
  one.run((node) => node.transferLeader(1));
  const [again] = only(one.tick(), 'heartbeat');
  one.step(heartbeatResponse({ from: 3, term: 1, readRound: again!.readRound }));
  assert.deepEqual(
    one.reads.map(({ context }) => textOf(context)),
    ['r'],
    'by its round',
  );
  one.run((node) => node.readIndex(bytesOf('s')));
  assert.equal(one.reads.length, 1);
});

test('a change is pending from the moment of the election on, whatever is in the log (pitfall 12)', () => {
  const one = new Single({ ...PLAIN, terms: [1, 1] });
  one.lead(2);
  one.run((node) => node.proposeConfChange(auto({ kind: 'addVoter', node: 4 })));
  one.acknowledge(2, 3);
  assert.deepEqual(one.host.confState.voters, [1, 2, 3]);
});

test('nobody campaigns with a change that is committed and not applied (AppliedBeforeCampaign, pitfall 12)', () => {
  for (const start of ['timeout', 'transfer'] as const) {
    const one = new Single({ ...PLAIN, asyncStorageWrites: true });
    const data = encodeConfChange(auto({ kind: 'addVoter', node: 4 }));
    const change = { term: 1, index: 1, type: 'confChange' as const, data };
    one.node.step(append({ from: 2, term: 1, entries: [change], commit: 1 }));
    one.host.take();
    const campaign = () => {
      if (start === 'timeout') one.node.campaign();
      else one.node.step({ type: 'timeoutNow', from: 2, to: 1, term: 1 });
    };
    campaign();
    assert.equal(one.status.role, 'follower');
    one.host.pump();
    campaign();
    assert.equal(one.status.role, 'candidate');
  }
});

testModes('a joint configuration is left once, not twice (pitfall 12)', (mode) => {
  // Entries are applied one by one, and after each the leader may think of leaving.
  const cluster = new Cluster({ ...THREE, others: [4], ...mode, applyingBytesMax: 1 });
  cluster.elect(1);
  cluster.change(1, 'implicit', { kind: 'addVoter', node: 4 });
  for (const text of 'abcd') cluster.propose(1, text);
  cluster.settle();
  cluster.tick([1, 2, 3, 4], 30);
  const applied = cluster.applied.get(1)!;
  assert.equal(applied.filter(({ type }) => type === 'confChange').length, 2);
  assert.equal(applied.length, 7, 'the first entry, two changes and four texts');
});

testModes('a leader that was removed leads no further (pitfall 12)', (mode) => {
  const one = new Single({ ...THREE, ...mode });
  one.leadAndCommit(2, 3);
  one.run((node) => node.proposeConfChange(auto({ kind: 'remove', node: 1 })));
  one.acknowledge(2);
  assert.deepEqual([one.status.role, one.status.lead], ['follower', NONE]);
  one.tick(50);
  assert.equal(one.status.role, 'follower');
});

testModes('a learner votes for whoever asks it (pitfall 13)', (mode) => {
  const one = new Single({ voters: [2, 3], ...mode });
  assert.equal(only(one.step(preVote({ from: 2, term: 1 })), 'preVoteResponse')[0]!.reject, false);
  assert.equal(only(one.step(vote({ from: 2, term: 1 })), 'voteResponse')[0]!.reject, false);
});

testModes('a learner votes for a candidate that knows it as a voter (pitfall 13)', (mode) => {
  const cluster = new Cluster({ ...THREE, others: [4], ...mode });
  cluster.elect(1);
  cluster.changeTo(1, auto({ kind: 'remove', node: 3 }));
  cluster.changeTo(1, auto({ kind: 'addLearner', node: 4 }));
  // Nodes 1 and 2 know that node 4 is promoted; it has the entry and does not know that it is committed.
  cluster.lose(({ to, type }) => to === 4 && type === 'heartbeat');
  let appends = 0;
  cluster.lose(({ to, type }) => to === 4 && type === 'append' && ++appends > 1);
  cluster.change(1, 'auto', { kind: 'addVoter', node: 4 });
  cluster.settle();
  cluster.tick(1, 2);
  assert.deepEqual(cluster.host(4).confState.learners, [4]);
  assert.deepEqual(cluster.host(2).confState.voters, [1, 2, 4]);
  cluster.heal();
  cluster.host(1).crash();
  cluster.tick(4, 10);
  cluster.tick(2, 30);
  assert.deepEqual(cluster.leaders(), [2]);
});

testModes(
  'a follower that half of the others do not hear elects nobody else (pitfall 14)',
  (mode) => {
    // Cloudflare, November 2020: 1 leads and reaches only 2; 3 reaches 2 as well, and not 1.
    const cluster = new Cluster({ ...THREE, ...mode });
    cluster.elect(1);
    const { term } = cluster.status(1);
    cluster.lose(({ from, to }) => from + to === 4);
    cluster.tick([1, 2, 3], 100);
    assert.deepEqual([cluster.leaders(), cluster.status(1).term], [[1], term]);
    cluster.commit(1, 'on');
    assert.deepEqual(cluster.texts(2), ['on']);
  },
);

testModes('a leader that hears nobody, though all hear it, makes way (pitfall 14)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode });
  cluster.elect(1);
  cluster.lose(({ to }) => to === 1);
  cluster.tick([1, 2, 3], 60);
  const leaders = cluster.leaders();
  assert.ok(leaders.length === 1 && leaders[0] !== 1, `${leaders} lead`);
  cluster.commit(leaders[0]!, 'on');
  assert.deepEqual(cluster.texts(5 - leaders[0]!), ['on']);
});

testModes('a node whose term ran ahead is taken back by the group (pitfall 14)', (mode) => {
  for (const preVoteOn of [false, true]) {
    const cluster = new Cluster({ ...THREE, ...mode, preVote: preVoteOn });
    cluster.host(3).disk.begin({ term: 20, vote: NONE, commit: 0 }, []);
    cluster.host(3).restart();
    const cut = cluster.isolate(3);
    cluster.elect(1);
    cut();
    cluster.tick([1, 2, 3], 60);
    const [leader] = cluster.leaders();
    assert.ok(leader !== undefined);
    cluster.commit(leader, 'together');
    for (const id of [1, 2, 3]) assert.deepEqual(cluster.texts(id), ['together']);
  }
});

testModes(
  'a snapshot that ends where the log ends is followed by appends again (pitfall 15)',
  (mode) => {
    const cluster = new Cluster({ ...THREE, ...mode });
    cluster.elect(1);
    const cut = cluster.isolate(3);
    cluster.commit(1, 'a');
    cluster.host(1).disk.compact(0);
    cut();
    cluster.tick(1, 3);
    const { state, match } = cluster.peer(1, 3);
    assert.deepEqual([state, match], ['replicate', cluster.status(1).lastIndex]);
  },
);

testModes(
  'a log compacted again and again does not starve a slow follower (pitfall 15)',
  (mode) => {
    const cluster = new Cluster({ ...THREE, ...mode });
    cluster.elect(1);
    const cut = cluster.isolate(3);
    cluster.commit(1, 'a');
    cluster.host(1).disk.compact(0);
    cut();
    // While its snapshot is on its way, the log moves on and is compacted, but for the newest entries.
    for (let round = 0; round < 5; round++) {
      cluster.propose(1, `${round}`);
      for (const id of [1, 2]) cluster.host(id).pump();
      cluster.node(1).tick();
      cluster.settle();
      cluster.host(1).disk.compact(2);
    }
    assert.equal(only(cluster.sent, 'snapshot').length, 1);
    assert.deepEqual(cluster.host(3).machine, cluster.host(1).machine);
  },
);

test('who does not vote is not counted: the leader itself, learners, strangers (VotersOnly, pitfall 16)', () => {
  const one = new Single({ ...PLAIN, voters: [1, 2, 3], stepDownOnRemoval: false });
  one.leadAndCommit(2, 3);
  one.run((node) => node.proposeConfChange(auto({ kind: 'remove', node: 1 })));
  one.acknowledge(2);
  assert.deepEqual(one.host.confState.voters, [2, 3]);
  const { term } = one.status;
  // An entry that it had appended before: it holds it, and so do a learner and a stranger.
  const other = new Single({ ...PLAIN, voters: [1, 2, 3, 4], stepDownOnRemoval: false });
  other.leadAndCommit(2, 3, 4);
  other.run((node) => node.proposeConfChange(auto({ kind: 'remove', node: 1 })));
  other.propose('a');
  for (const from of [2, 3]) other.step(appendResponse({ from, term, index: 2 }));
  assert.deepEqual(other.host.confState.voters, [2, 3, 4]);
  for (const from of [9, 4]) other.step(appendResponse({ from, term, index: 3 }));
  assert.equal(other.status.commit, 2, 'one of three');
  other.step(appendResponse({ from: 2, term, index: 3 }));
  assert.equal(other.status.commit, 3, 'two of three');
});

test('proposals are bounded while nothing is committed (pitfall 19)', () => {
  const one = new Single({ ...PLAIN, uncommittedBytesMax: 1000 });
  one.leadAndCommit(2, 3);
  const text = 'x'.repeat(100);
  const accepted = propose(one, text, 100);
  assert.equal(accepted, 10);
  one.acknowledge(2);
  assert.equal(propose(one, text, 100), 10, 'what was applied makes room, exactly');
});

test('an entry larger than the bound passes alone (pitfall 19)', () => {
  const one = new Single({ ...PLAIN, uncommittedBytesMax: 10 });
  one.leadAndCommit(2, 3);
  assert.equal(propose(one, 'x'.repeat(100), 2), 1);
  assert.equal(propose(one, '', 1), 1, 'what has no bytes always passes');
});

test('the bound holds for what the leader made itself, from its election on (pitfall 19)', () => {
  // Entries of the leader before are applied first; they make no room that was never taken.
  const one = new Single({ ...PLAIN, uncommittedBytesMax: 1000 });
  const old = [1, 2, 3].map((index) => entry(index, 1, 'y'.repeat(500)));
  one.step(append({ from: 2, term: 1, entries: old }));
  one.lead(2);
  assert.equal(propose(one, 'x'.repeat(100), 100), 10);
  const { term } = one.status;
  one.step(appendResponse({ from: 2, term, index: 4 }));
  assert.equal(one.status.applied, 4);
  assert.equal(propose(one, 'x'.repeat(100), 100), 0);
});

function propose(one: Single, text: string, count: number): number {
  for (let accepted = 0; accepted < count; accepted++) {
    try {
      one.propose(text);
    } catch (thrown) {
      assert.match(String(thrown), /too many bytes/);
      return accepted;
    }
  }
  return count;
}

testModes('a leader that steps down forgets the reads that waited (pitfall 19)', (mode) => {
  const one = new Single({ ...THREE, ...mode });
  one.lead(2);
  one.run((node) => node.readIndex(bytesOf('postponed')));
  one.acknowledge(2);
  one.run((node) => node.readIndex(bytesOf('pending')));
  one.step(append({ from: 3, term: 9, prevIndex: 0 }));
  one.tick(20);
  one.lead(2, 3);
  one.acknowledge(2, 3);
  for (const from of [2, 3]) {
    one.step(heartbeatResponse({ from, term: one.status.term, readRound: 9 }));
  }
  assert.deepEqual(one.reads, []);
});

testModes('a window whose messages were all lost drains again (pitfall 20)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode, inflightMessagesMax: 2 });
  cluster.elect(1);
  const lost = cluster.lose(({ type, to }) => type === 'append' && to === 3);
  for (const text of 'abcd') cluster.commit(1, text);
  assert.deepEqual([cluster.peer(1, 3).paused, cluster.peer(1, 3).inflight], [true, 2]);
  lost();
  cluster.tick(1, 2);
  assert.deepEqual(cluster.texts(3), ['a', 'b', 'c', 'd']);
});

test('answers that were lost do not keep a window full (pitfall 20)', () => {
  const one = new Single({ ...PLAIN, inflightMessagesMax: 2 });
  one.leadAndCommit(2, 3);
  for (const text of 'abcd') one.propose(text);
  assert.equal(one.peer(2).paused, true);
  const { term } = one.status;
  const [empty] = only(one.step(heartbeatResponse({ from: 2, term })), 'append');
  assert.deepEqual([empty!.prevIndex, empty!.entries.length], [3, 0], 'asks how far it got');
  const sent = only(one.step(appendResponse({ from: 2, term, index: 3 })), 'append');
  assert.deepEqual(
    sent
      .filter(({ to, entries }) => to === 2 && entries.length > 0)
      .map(({ prevIndex }) => prevIndex),
    [3],
  );
});

test('a probe that was lost is sent again when its receiver is heard of (pitfall 20)', () => {
  const one = new Single(PLAIN);
  one.lead(2);
  assert.equal(one.peer(3).paused, true);
  assert.deepEqual(
    only(one.propose('a'), 'append').filter(({ to }) => to === 3),
    [],
  );
  const [again] = only(one.step(heartbeatResponse({ from: 3, term: 1 })), 'append');
  assert.deepEqual([again!.to, again!.prevIndex, again!.entries.length], [3, 0, 2]);
});

test('the core reads no clock, draws no number and waits for nothing (SameCallsSameResults, pitfall 27)', () => {
  const folder = new URL('../../src/', import.meta.url);
  const banned =
    /\b(Date|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|Promise|async|await|process|Buffer|globalThis|performance|crypto|require|node:\w+)\b/;
  const files = readdirSync(folder);
  assert.ok(files.length > 20);
  for (const file of files) {
    const code = readFileSync(new URL(file, folder), 'utf8').replace(
      /\/\*[\s\S]*?\*\/|\/\/.*/g,
      '',
    );
    assert.doesNotMatch(code, banned, file);
    for (const [, from] of code.matchAll(/from '([^']+)'/g)) assert.match(from!, /^\.\//, file);
  }
});

test('peers are visited in order of their ids, however they came (pitfall 27)', () => {
  const one = new Single({ ...PLAIN, voters: [1, 5, 9] });
  one.leadAndCommit(5, 9);
  for (const node of [7, 3]) {
    one.run((raw) => raw.proposeConfChange(auto({ kind: 'addLearner', node })));
    one.acknowledge(5, 9);
  }
  assert.deepEqual(
    only(one.tick(), 'heartbeat').map(({ to }) => to),
    [3, 5, 7, 9],
  );
  one.step(heartbeat({ from: 9, term: 9 }));
  assert.deepEqual(one.step(preVote({ from: 5, term: 9 })).length, 1);
});
