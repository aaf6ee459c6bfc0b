// Raft §5.2: leader election.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NONE } from '../../src/types.js';
import { Cluster, testModes } from '../support/cluster.js';
import { append, heartbeat, only, vote, voteResponse } from '../support/messages.js';
import { Single } from '../support/single.js';

const THREE = [1, 2, 3];

/** As in the paper: neither pre-votes nor leases. */
const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

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

testModes(
  'a follower votes for the first that asks, once in a term (§5.2, OneVoteATerm)',
  (mode) => {
    const one = new Single({ ...PLAIN, ...mode });
    const answers = [2, 3, 2].map((from) => {
      return only(one.step(vote({ from, term: 1 })), 'voteResponse')[0]!.reject;
    });
    assert.deepEqual(answers, [false, true, false]);
    assert.equal(only(one.step(vote({ from: 3, term: 2 })), 'voteResponse')[0]!.reject, false);
  },
);

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

testModes('a replica starts as a follower, whatever it was before (§5.2)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode });
  assert.deepEqual([one.status.role, one.status.lead], ['follower', NONE]);
  one.lead(2);
  one.host.restart();
  assert.deepEqual([one.status.role, one.status.lead, one.status.term], ['follower', NONE, 1]);
});

test('no term has two leaders, however votes are delayed, lost and repeated (§5.2, ElectionSafety)', () => {
  const event = fc.record({
    what: fc.constantFrom('campaign', 'deliver', 'deliver', 'deliver', 'repeat', 'lose', 'crash'),
    which: fc.nat(99),
  });
  fc.assert(
    fc.property(fc.boolean(), fc.array(event, { maxLength: 60 }), (asyncStorageWrites, events) => {
      const voters = [1, 2, 3, 4, 5];
      const cluster = new Cluster({ ...PLAIN, voters, asyncStorageWrites });
      const leaders = new Map<number, number>();
      for (const { what, which } of events) {
        const id = voters[which % 5]!;
        if (what === 'campaign') cluster.node(id).campaign();
        else if (what === 'crash') cluster.host(id).restart();
        else disturb(cluster, what, which);
        for (const voter of voters) {
          cluster.host(voter).pump();
          const { role, term } = cluster.status(voter);
          if (role !== 'leader') continue;
          assert.equal(leaders.get(term) ?? voter, voter, `term ${term}`);
          leaders.set(term, voter);
        }
      }
    }),
  );
});

function disturb(cluster: Cluster, what: string, which: number): void {
  const at = which % Math.max(cluster.inFlight.length, 1);
  const message = cluster.inFlight[at];
  if (message === undefined) return;
  if (what !== 'lose') cluster.deliver(message);
  if (what !== 'repeat') cluster.inFlight.splice(at, 1);
}
