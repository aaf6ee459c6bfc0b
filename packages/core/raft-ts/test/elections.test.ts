import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE } from '../src/types.js';
import { Cluster, testModes } from './support/cluster.js';
import {
  append,
  appendResponse,
  heartbeat,
  only,
  preVote,
  vote,
  voteResponse,
} from './support/messages.js';
import { Single } from './support/single.js';

const THREE = [1, 2, 3];
/** As in the paper: neither pre-votes nor leases. */
const PLAIN = { voters: THREE, preVote: false, checkQuorum: false };

testModes('whoever sees a larger term adopts it and follows (§5.1)', (mode) => {
  const candidate = new Single({ ...PLAIN, ...mode });
  candidate.run((node) => node.campaign());
  assert.equal(candidate.status.role, 'candidate');
  candidate.step(voteResponse({ from: 2, term: 5, reject: true }));
  assert.deepEqual([candidate.status.role, candidate.status.term], ['follower', 5]);

  const leader = new Single({ ...PLAIN, ...mode });
  leader.lead(2);
  leader.step(appendResponse({ from: 2, term: 9, reject: true }));
  assert.deepEqual([leader.status.role, leader.status.term], ['follower', 9]);
  assert.equal(leader.status.vote, NONE, 'nobody has its vote in the new term');
});

testModes('a request of an earlier term is rejected (§5.1)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, terms: [1, 3] });
  const requests = [
    vote({ from: 2, term: 2, lastIndex: 9, lastTerm: 2 }),
    append({ from: 2, term: 2, prevIndex: 2, prevTerm: 3, entries: [] }),
    heartbeat({ from: 2, term: 2 }),
  ];
  for (const request of requests) {
    // A vote needs no answer: who asks is told by others. A leader is told of the term, and nothing else.
    const told = one.step(request).map((answer) => [answer.type, answer.term]);
    assert.deepEqual(told, request.type === 'vote' ? [] : [['appendResponse', 3]]);
    assert.deepEqual([one.status.vote, one.status.lead, one.status.term], [NONE, NONE, 3]);
  }
});

test('a message without a term is taken only where it can have none (§5.1)', () => {
  const one = new Single({ ...PLAIN, terms: [1, 1], hardState: { commit: 1 } });
  one.step(append({ from: 2, term: 0, prevIndex: 1, prevTerm: 1, entries: [] }));
  assert.equal(one.status.lead, NONE);
});

testModes('a follower that hears of nobody for an election timeout campaigns (§5.2)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, terms: [1] });
  assert.deepEqual(one.tick(9), []);
  const requests = only(one.tick(), 'vote');
  assert.deepEqual(
    requests.map(({ to, term, lastIndex, lastTerm }) => [to, term, lastIndex, lastTerm]),
    [
      [2, 2, 1, 1],
      [3, 2, 1, 1],
    ],
  );
  assert.deepEqual([one.status.role, one.status.term, one.status.vote], ['candidate', 2, 1]);
});

test('a follower does not campaign as long as it hears of its leader (§5.2)', () => {
  const one = new Single(PLAIN);
  for (const message of [heartbeat({ from: 2, term: 1 }), append({ from: 2, term: 1 })]) {
    one.step(message);
    one.tick(9);
    one.step(message);
    one.tick(9);
    assert.equal(one.status.role, 'follower');
  }
});

testModes('a follower votes for the first that asks, once in a term (§5.2)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode });
  const answers = [2, 3, 2].map((from) => {
    return only(one.step(vote({ from, term: 1 })), 'voteResponse')[0]!.reject;
  });
  assert.deepEqual(answers, [false, true, false]);
  assert.equal(only(one.step(vote({ from: 3, term: 2 })), 'voteResponse')[0]!.reject, false);
});

test('a vote that was granted puts the own election off (§5.2)', () => {
  const one = new Single(PLAIN);
  one.tick(9);
  one.step(vote({ from: 2, term: 1 }));
  one.tick(9);
  assert.equal(one.status.role, 'follower');
});

test('who gets the votes of a majority leads, by table (§5.2)', () => {
  const table: readonly (readonly [size: number, grants: number[], rejects: number[], string])[] = [
    [1, [], [], 'leader'],
    [2, [], [], 'candidate'],
    [2, [2], [], 'leader'],
    [3, [2], [], 'leader'],
    [3, [], [2], 'candidate'],
    [3, [], [2, 3], 'follower'],
    [4, [2], [], 'candidate'],
    [4, [2, 3], [], 'leader'],
    [5, [2], [3, 4], 'candidate'],
    [5, [2, 3], [4, 5], 'leader'],
    [5, [2], [3, 4, 5], 'follower'],
  ];
  for (const [size, grants, rejects, role] of table) {
    const voters = Array.from({ length: size }, (_, at) => at + 1);
    const one = new Single({ ...PLAIN, voters });
    one.run((node) => node.campaign());
    for (const from of rejects) one.step(voteResponse({ from, term: 1, reject: true }));
    for (const from of grants) one.step(voteResponse({ from, term: 1 }));
    assert.equal(one.status.role, role, `${size} nodes, ${grants} for, ${rejects} against`);
    assert.equal(one.status.term, 1);
  }
});

test('a vote counts once, from a voter only, and not if it is for another term (§5.2)', () => {
  const one = new Single({ ...PLAIN, voters: [1, 2, 3, 4, 5], hardState: { term: 3 } });
  one.run((node) => node.campaign());
  const { term } = one.status;
  const votes = [
    voteResponse({ from: 2, term }),
    voteResponse({ from: 2, term }),
    voteResponse({ from: 9, term }),
    voteResponse({ from: 3, term: term - 1 }),
  ];
  for (const message of votes) one.step(message);
  assert.equal(one.status.role, 'candidate');
  one.step(voteResponse({ from: 3, term }));
  assert.equal(one.status.role, 'leader');
});

testModes('a new leader speaks at once, so that nobody else campaigns (§5.2)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode });
  const sent = only(one.lead(2), 'append');
  assert.deepEqual(
    sent.map(({ to, term }) => [to, term]),
    [
      [2, 1],
      [3, 1],
    ],
  );
});

test('a leader sends heartbeats in every interval (§5.2)', () => {
  const one = new Single({ ...PLAIN, heartbeatTicks: 3 });
  one.lead(2);
  assert.deepEqual(one.tick(2), []);
  assert.deepEqual(
    only(one.tick(), 'heartbeat').map(({ to }) => to),
    [2, 3],
  );
});

testModes('a candidate follows a leader of its term, and none of an earlier one (§5.2)', (mode) => {
  for (const message of [append({ from: 2, term: 3 }), heartbeat({ from: 2, term: 3 })]) {
    const one = new Single({ ...PLAIN, ...mode, hardState: { term: 2 } });
    one.run((node) => node.campaign());
    one.step({ ...message, term: 2 });
    assert.equal(one.status.role, 'candidate');
    one.step(message);
    const { role, term, lead, vote: voted } = one.status;
    assert.deepEqual([role, term, lead, voted], ['follower', 3, 2, 1]);
  }
});

test('a split vote ends in another election, in another term (§5.2)', () => {
  const one = new Single(PLAIN);
  one.tick(10);
  one.step(voteResponse({ from: 2, term: 1, reject: true }));
  const requests = only(one.tick(10), 'vote');
  assert.deepEqual(
    requests.map(({ term }) => term),
    [2, 2],
  );
});

test('election timeouts are drawn anew, from one to two times the given one (§5.2)', () => {
  const timeouts = [0, 3, 9].map((drawn) => {
    const bounds: number[] = [];
    const random = (bound: number) => {
      bounds.push(bound);
      return drawn;
    };
    const one = new Single({ ...PLAIN, random });
    const before = bounds.length;
    let ticks = 0;
    for (; one.status.role === 'follower'; ticks++) one.tick();
    assert.ok(bounds.length > before, 'a new timeout was drawn');
    assert.ok(bounds.every((bound) => bound === 10));
    return ticks;
  });
  assert.deepEqual(timeouts, [10, 13, 19]);
});

test('candidates whose timeouts differ elect one of them in the end (§5.2)', () => {
  const cluster = new Cluster({ ...PLAIN, random: () => 0 });
  // All campaign in the same tick and get nobody's vote but their own.
  for (const id of THREE) for (let passed = 0; passed < 10; passed++) cluster.node(id).tick();
  cluster.settle();
  assert.deepEqual(cluster.leaders(), []);
  cluster.tick([2, 3], 9);
  cluster.tick(1, 10);
  assert.deepEqual(cluster.leaders(), [1]);
});

testModes('a vote goes only to who has all that is committed (§5.4.1)', (mode) => {
  const own = [1, 2, 2];
  for (const lastTerm of [1, 2, 3]) {
    for (const lastIndex of [1, 2, 3, 4]) {
      const isUpToDate = lastTerm > 2 || (lastTerm === 2 && lastIndex >= 3);
      for (const request of [vote, preVote]) {
        const one = new Single({ ...PLAIN, ...mode, terms: own });
        const [answer] = one.step(request({ from: 2, term: 5, lastIndex, lastTerm }));
        assert.ok(answer !== undefined && 'reject' in answer);
        assert.equal(answer.reject, !isUpToDate, `${answer.type} for ${lastIndex}/${lastTerm}`);
        if (request === vote) assert.equal(one.status.vote, isUpToDate ? 2 : NONE);
      }
    }
  }
});

testModes('a node that lacks what is committed is not elected (§5.4.1)', (mode) => {
  const cluster = new Cluster({ ...PLAIN, ...mode });
  cluster.elect(1);
  const reconnect = cluster.isolate(3);
  cluster.commit(1, 'a');
  reconnect();
  cluster.node(3).campaign();
  cluster.settle();
  assert.notEqual(cluster.status(3).role, 'leader');
  cluster.node(2).campaign();
  cluster.settle();
  assert.deepEqual(cluster.leaders(), [2]);
  cluster.tick(2);
  assert.deepEqual(cluster.texts(3), ['a']);
});

testModes('two nodes are enough of three, and one is not (§5.2)', (mode) => {
  const cluster = new Cluster({ voters: THREE, ...mode });
  cluster.host(3).crash();
  cluster.elect(1);
  cluster.commit(1, 'a');
  assert.deepEqual(cluster.texts(2), ['a']);
  cluster.host(2).crash();
  cluster.propose(1, 'b');
  cluster.settle();
  assert.deepEqual(cluster.texts(1), ['a']);
});

testModes('a node that votes alone leads alone, once its vote is durable (§5.2)', (mode) => {
  const one = new Single({ voters: [1], ...mode });
  one.node.campaign();
  assert.equal(one.status.role, 'preCandidate');
  one.host.pump();
  assert.deepEqual([one.status.role, one.status.commit], ['leader', 1]);
  one.propose('a');
  assert.equal(one.status.applied, 2);
});

testModes('term and vote outlive a crash (§5.2, Figure 2)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode });
  one.step(vote({ from: 2, term: 4 }));
  one.host.restart();
  assert.deepEqual([one.status.term, one.status.vote], [4, 2]);
  const [answer] = only(one.step(vote({ from: 3, term: 4 })), 'voteResponse');
  assert.equal(answer!.reject, true);
});
