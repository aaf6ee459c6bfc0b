// A node that lost what it had acknowledged (pitfalls 7 and 17): it finds out by what its leader knows of it,
// never by mistake, and is of no more harm.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../src/message.js';
import { Cluster, testModes } from './support/cluster.js';
import { entriesFrom } from './support/entries.js';
import {
  append,
  appendResponse,
  heartbeat,
  heartbeatResponse,
  only,
  preVote,
  snapshotMessage,
  vote,
} from './support/messages.js';
import { Single } from './support/single.js';

const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

/** A node with entries 1 to 3, whose leader knows it to have had 5. */
function damaged(by: 'append' | 'heartbeat'): { one: Single; answers: Message[] } {
  const one = new Single({ ...PLAIN, terms: [1, 1, 1] });
  const knows = { from: 2, term: 1, match: 5, commit: 5 };
  const message =
    by === 'append' ? append({ ...knows, prevIndex: 5, prevTerm: 1 }) : heartbeat(knows);
  return { one, answers: one.step(message) };
}

test('a node that has less than its leader knows it to have says that it is damaged (DamageIsTold)', () => {
  for (const by of ['append', 'heartbeat'] as const) {
    const { one, answers } = damaged(by);
    const [answer] = only(answers, 'heartbeatResponse');
    assert.deepEqual([answers.length, answer!.damaged], [1, true], by);
    assert.deepEqual([one.status.damaged, one.status.commit], [true, 0]);
  }
});

test('a damaged node acknowledges nothing, votes for nobody and does not campaign', () => {
  const { one } = damaged('heartbeat');
  const messages = [
    append({ from: 2, term: 1, prevIndex: 3, prevTerm: 1, entries: entriesFrom(4, 1) }),
    append({ from: 3, term: 2, prevIndex: 3, prevTerm: 1, entries: entriesFrom(4, 2) }),
    heartbeat({ from: 2, term: 2 }),
    vote({ from: 2, term: 3, lastIndex: 9, lastTerm: 2, transfer: true }),
    preVote({ from: 2, term: 4, lastIndex: 9, lastTerm: 2, transfer: true }),
    snapshotMessage({ from: 2, term: 2 }),
    { type: 'timeoutNow', from: 2, to: 1, term: 2 } as const,
  ];
  for (const message of messages) {
    for (const answer of one.step(message)) {
      assert.ok(answer.type === 'heartbeatResponse' && answer.damaged, message.type);
    }
  }
  one.tick(50);
  one.run((node) => node.campaign());
  assert.deepEqual([one.status.role, one.status.lastIndex], ['follower', 3]);
});

test('a leader sends nothing but heartbeats to a damaged node, and counts on it no more', () => {
  const one = new Single({ ...PLAIN, checkQuorum: true });
  one.leadAndCommit(2, 3);
  one.step(heartbeatResponse({ from: 3, term: 1, damaged: true }));
  assert.equal(one.peer(3).damaged, true);
  const sent = one.propose('a');
  assert.deepEqual(
    sent.map(({ to }) => to),
    [2],
  );
  one.step(appendResponse({ from: 3, term: 1, index: 2 }));
  assert.equal(one.status.commit, 1, 'its acknowledgements count for nothing');
  const { readRound } = only(
    one.run((node) => node.readIndex(new Uint8Array(0))),
    'heartbeat',
  )[0]!;
  one.step(heartbeatResponse({ from: 3, term: 1, readRound }));
  assert.deepEqual(one.reads, [], 'nor does its confirmation');
  one.run((node) => node.transferLeader(3));
  assert.equal(one.status.leadTransferee, 0, 'nor can it lead');
  for (let passed = 0; passed < 20; passed++) {
    one.tick();
    one.step(heartbeatResponse({ from: 3, term: 1, damaged: true }));
  }
  assert.equal(one.status.role, 'follower', 'nor does it keep a leader in office');
});

test('what a damaged node had acknowledged before does not count towards what is committed', () => {
  const one = new Single({ ...PLAIN, voters: [1, 2, 3, 4, 5] });
  one.leadAndCommit(2, 3, 4, 5);
  one.propose('a');
  const { commit, lastIndex: index } = one.status;
  one.step(appendResponse({ from: 3, term: 1, index }));
  one.step(heartbeatResponse({ from: 3, term: 1, damaged: true }));
  one.step(appendResponse({ from: 2, term: 1, index }));
  assert.equal(one.status.commit, commit, 'only two nodes certainly have it');
  one.step(appendResponse({ from: 4, term: 1, index }));
  assert.equal(one.status.commit, index);
});

testModes('a group goes on without its damaged node', (mode) => {
  const cluster = new Cluster({ voters: [1, 2, 3], ...mode });
  cluster.elect(1);
  cluster.commit(1, 'a');
  // Acknowledged and not applied there yet, so that the disk can lose it.
  const cut = cluster.lose(({ type, to }) => type === 'heartbeat' && to === 3);
  let told = 0;
  const silent = cluster.lose(({ type, to }) => type === 'append' && to === 3 && told++ > 0);
  cluster.propose(1, 'b');
  cluster.settle();
  const { lastIndex } = cluster.status(3);
  assert.equal(cluster.peer(1, 3).match, lastIndex);
  cluster.host(3).crash();
  cluster.host(3).disk.loseFrom(lastIndex);
  cluster.host(3).start();
  cut();
  silent();
  cluster.tick([1, 2, 3], 3);
  assert.deepEqual([cluster.status(3).damaged, cluster.peer(1, 3).damaged], [true, true]);
  cluster.commit(1, 'c');
  assert.deepEqual(cluster.texts(2), ['a', 'b', 'c']);
  cluster.tick([1, 2, 3], 60);
  assert.deepEqual(cluster.leaders(), [1]);
});

testModes('a node that is merely behind, or was told late, is not damaged', (mode) => {
  const one = new Single({ ...PLAIN, ...mode });
  const entries = entriesFrom(1, 1, 1, 1);
  const messages: Message[] = [
    append({ from: 2, term: 1, entries }),
    heartbeat({ from: 2, term: 1, match: 3, commit: 2 }),
    // Late: the leader knew less of it when it sent these.
    heartbeat({ from: 2, term: 1, match: 0 }),
    append({ from: 2, term: 1, entries: entries.slice(0, 1), match: 1 }),
    // A new leader knows nothing yet, and replaces what was not committed.
    append({ from: 3, term: 2, prevIndex: 2, prevTerm: 1, entries: entriesFrom(3, 2) }),
    // From the leader before, which knows more than there is by now: it is of an earlier term.
    heartbeat({ from: 2, term: 1, match: 9 }),
    append({ from: 2, term: 1, prevIndex: 9, prevTerm: 1, match: 9 }),
    heartbeat({ from: 3, term: 2, match: 3 }),
    snapshotMessage({ from: 3, term: 2 }),
  ];
  for (const message of messages) {
    one.step(message);
    assert.equal(one.status.damaged, false, message.type);
  }
});
