// Raft §5.1: terms, which every message carries and which make outdated leaders and candidates give up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../src/message.js';
import { NONE, type Role } from '../../src/types.js';
import { testModes } from '../support/cluster.js';
import { bytesOf, snapshotAt } from '../support/entries.js';
import {
  append,
  appendResponse,
  heartbeat,
  heartbeatResponse,
  preVote,
  preVoteResponse,
  snapshotMessage,
  vote,
  voteResponse,
} from '../support/messages.js';
import { Single } from '../support/single.js';

/** As in the paper: neither pre-votes nor leases. */
const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

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

const ROLES: readonly Role[] = ['follower', 'preCandidate', 'candidate', 'leader'];

/** A replica in a role, in term 5. */
function inRole(role: Role): Single {
  const preVote = role === 'preCandidate';
  const term = preVote || role === 'follower' ? 5 : 4;
  const one = new Single({ ...PLAIN, preVote, terms: [1], hardState: { term } });
  if (role === 'leader') one.lead(2);
  else if (role !== 'follower') one.run((node) => node.campaign());
  assert.deepEqual([one.status.role, one.status.term], [role, 5]);
  one.take();
  return one;
}

/** One message of every kind that bears a term. */
function everyMessage(term: number): Message[] {
  const head = { from: 2, to: 1, term };
  return [
    append(head),
    appendResponse({ ...head, index: 1 }),
    vote({ ...head, lastIndex: 9, lastTerm: 9 }),
    voteResponse(head),
    voteResponse({ ...head, reject: true }),
    preVoteResponse({ ...head, reject: true }),
    heartbeat(head),
    heartbeatResponse({ ...head, readRound: 9 }),
    snapshotMessage({ ...head, snapshot: snapshotAt(9, 1, [1, 2, 3]) }),
    { type: 'timeoutNow', ...head },
    { type: 'transferLeader', ...head, transferee: 3 },
    { type: 'readIndexResponse', ...head, index: 1, context: bytesOf('r') },
  ];
}

test('whatever message a later term comes with, it is adopted, and leaders and candidates give up (§5.1)', () => {
  for (const role of ROLES) {
    for (const message of everyMessage(9)) {
      const one = inRole(role);
      one.node.step(message);
      // Who is asked to campaign does so at once, in a term of its own.
      const expected = message.type === 'timeoutNow' ? ['candidate', 10] : ['follower', 9];
      assert.deepEqual(
        [one.status.role, one.status.term],
        expected,
        `${role} gets ${message.type}`,
      );
    }
  }
});

test('a pre-vote and its grant bear a term that nobody is in yet, which is not adopted (§5.1, thesis §9.6)', () => {
  for (const role of ROLES) {
    for (const message of [preVote({ from: 2, term: 9 }), preVoteResponse({ from: 3, term: 9 })]) {
      const one = inRole(role);
      one.node.step(message);
      const moved = role === 'preCandidate' && message.type === 'preVoteResponse';
      assert.equal(one.status.term, moved ? 6 : 5, `${role} gets ${message.type}`);
    }
  }
});

test('no message of an earlier term changes anything (§5.1)', () => {
  for (const role of ROLES) {
    for (const message of everyMessage(4)) {
      const one = inRole(role);
      const before = one.node.status();
      const told = one.step(message);
      assert.deepEqual(one.node.status(), before, `${role} gets ${message.type}`);
      assert.deepEqual(one.reads, []);
      for (const { type, term } of told) assert.deepEqual([type, term], ['appendResponse', 5]);
    }
  }
});

test('terms only grow, over restarts too (§5.1, TermsOnlyGrow)', () => {
  const kinds = everyMessage(0).length;
  const event = fc.oneof(
    fc.record({ kind: fc.nat(kinds - 1), term: fc.integer({ min: 1, max: 6 }) }),
    fc.constantFrom('campaign' as const, 'restart' as const),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(event, { maxLength: 20 }), (asyncStorageWrites, events) => {
      const one = new Single({ ...PLAIN, asyncStorageWrites });
      let term = 0;
      for (const each of events) {
        if (each === 'campaign') one.run((node) => node.campaign());
        else if (each === 'restart') one.host.restart();
        else one.step(everyMessage(each.term)[each.kind]!);
        assert.ok(one.status.term >= term);
        term = one.status.term;
      }
    }),
  );
});
