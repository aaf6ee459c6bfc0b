import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerStatus } from '../src/status.js';
import { auto, explicit, listen } from './support/changes.js';
import { appendResponse, heartbeatResponse } from './support/messages.js';
import { Single } from './support/single.js';

const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

/** The parts of a peer's status that are out of the ordinary. */
function unusual(peer: PeerStatus): Partial<PeerStatus> {
  const usual: Record<string, unknown> = {
    isLearner: false,
    paused: false,
    inflight: 0,
    pendingSnapshot: 0,
    recentActive: true,
    damaged: false,
  };
  return Object.fromEntries(Object.entries(peer).filter(([key, value]) => usual[key] !== value));
}

test('the status tells what a replica is, whatever it is', () => {
  const one = new Single({ ...PLAIN, terms: [1, 1], hardState: { term: 3, vote: 2, commit: 1 } });
  one.run(() => {});
  assert.deepEqual(one.node.status(), {
    id: 1,
    term: 3,
    vote: 2,
    role: 'follower',
    lead: 0,
    commit: 1,
    applied: 1,
    firstIndex: 1,
    lastIndex: 2,
    leadTransferee: 0,
    damaged: false,
    conf: {
      voters: [1, 2, 3],
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    },
    uncommittedBytes: 0,
    applyingBytes: 0,
    pendingReads: 0,
    progress: [],
  });
});

test('the status of a leader tells of every peer, in order, and in every state', () => {
  const one = new Single({ ...PLAIN, voters: [1, 2, 3, 4] });
  one.leadAndCommit(2, 3);
  one.run((node) => node.proposeConfChange(auto(listen(5))));
  one.acknowledge(2, 3);
  one.propose('abc');
  assert.deepEqual(one.node.status().progress.map(unusual), [
    { id: 1, match: 3, next: 4, state: 'replicate' },
    { id: 2, match: 2, next: 4, state: 'replicate', inflight: 1 },
    { id: 3, match: 2, next: 4, state: 'replicate', inflight: 1 },
    { id: 4, match: 0, next: 1, state: 'probe', paused: true, recentActive: false },
    { id: 5, match: 0, next: 2, state: 'probe', isLearner: true, paused: true },
  ]);
  assert.equal(one.node.status().uncommittedBytes, 3);
  one.acknowledge(2, 3);
  assert.equal(one.node.status().uncommittedBytes, 0);
});

test('the status tells of snapshots on their way, of damage and of who is to become a learner', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2);
  one.run((node) => node.proposeConfChange(explicit(listen(2))));
  one.acknowledge(2);
  one.host.disk.compact(0);
  const { term } = one.status;
  one.step(appendResponse({ from: 3, term, index: 0, reject: true }));
  one.step(heartbeatResponse({ from: 2, term, damaged: true }));
  const status = one.node.status();
  assert.deepEqual([status.conf.voters, status.conf.learnersNext], [[1, 3], [2]]);
  assert.deepEqual(status.progress.map(unusual).slice(1), [
    { id: 2, match: 2, next: 3, state: 'replicate', paused: true, damaged: true },
    { id: 3, match: 0, next: 3, state: 'snapshot', paused: true, pendingSnapshot: 2 },
  ]);
});
