// Thesis §9.6: pre-votes keep a node that rejoins from disrupting the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE } from '../../src/types.js';
import { Cluster, testModes } from '../support/cluster.js';
import { heartbeat, only, preVote, preVoteResponse } from '../support/messages.js';
import { Single } from '../support/single.js';

const THREE = { voters: [1, 2, 3] };

testModes(
  'a pre-vote asks for the next term and enters it only once it is won (thesis §9.6)',
  (mode) => {
    const one = new Single({ ...THREE, ...mode, terms: [1] });
    const asked = only(one.tick(10), 'preVote');
    assert.deepEqual(
      asked.map(({ to, term, lastIndex, lastTerm }) => [to, term, lastIndex, lastTerm]),
      [
        [2, 2, 1, 1],
        [3, 2, 1, 1],
      ],
    );
    assert.deepEqual(
      [one.status.role, one.status.term, one.status.vote],
      ['preCandidate', 1, NONE],
    );
    const campaign = only(one.step(preVoteResponse({ from: 3, term: 2 })), 'vote');
    assert.deepEqual(
      campaign.map(({ to, term }) => [to, term]),
      [
        [2, 2],
        [3, 2],
      ],
    );
    assert.deepEqual([one.status.role, one.status.term, one.status.vote], ['candidate', 2, 1]);
  },
);

test('a pre-vote is granted to any number of nodes and changes nothing (thesis §9.6)', () => {
  const one = new Single({ ...THREE, hardState: { term: 3, vote: 1 } });
  for (const from of [2, 3, 2]) {
    const [answer] = only(one.step(preVote({ from, term: 4 })), 'preVoteResponse');
    assert.deepEqual([answer!.reject, answer!.term], [false, 4]);
  }
  assert.deepEqual([one.status.term, one.status.vote], [3, 1]);
});

test('a pre-vote is refused while a leader is alive (thesis §9.6)', () => {
  const one = new Single(THREE);
  one.step(heartbeat({ from: 2, term: 1 }));
  one.tick(9);
  assert.deepEqual(one.step(preVote({ from: 3, term: 2 })), []);
  one.tick();
  assert.equal(one.step(preVote({ from: 3, term: 2 })).length, 1);
});

test('a refused pre-vote bears the term of who refuses, and who asked learns of it (thesis §9.6)', () => {
  const one = new Single({ ...THREE, terms: [5] });
  const [equal] = only(one.step(preVote({ from: 2, term: 6 })), 'preVoteResponse');
  assert.deepEqual([equal!.reject, equal!.term], [true, 5]);
  const [older] = only(one.step(preVote({ from: 2, term: 3, lastTerm: 9 })), 'preVoteResponse');
  assert.deepEqual([older!.reject, older!.term], [true, 5]);
  const asker = new Single(THREE);
  asker.tick(10);
  asker.step(preVoteResponse({ from: 2, term: 5, reject: true }));
  assert.deepEqual([asker.status.role, asker.status.term], ['follower', 5]);
});

test('a pre-candidate that loses follows and tries again later (thesis §9.6)', () => {
  const one = new Single({ ...THREE, hardState: { term: 1 } });
  one.tick(10);
  for (const from of [2, 3]) one.step(preVoteResponse({ from, term: 1, reject: true }));
  assert.deepEqual([one.status.role, one.status.term], ['follower', 1]);
  assert.equal(only(one.tick(10), 'preVote').length, 2);
});

test('what a node of an earlier term knows to be committed is known then (thesis §9.6)', () => {
  // A node that was removed and heard of no later term refuses, and says what it was that removed it.
  const one = new Single({ ...THREE, terms: [1, 1, 1], hardState: { term: 5 } });
  one.tick(10);
  const commit = { index: 2, term: 1 };
  one.step(preVoteResponse({ from: 2, term: 1, reject: true, commit }));
  assert.deepEqual([one.status.commit, one.status.role], [2, 'preCandidate']);
});

testModes('a node that comes back from a partition deposes nobody (thesis §9.6)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode });
  cluster.elect(1);
  const reconnect = cluster.isolate(3);
  cluster.tick([1, 2, 3], 60);
  assert.equal(cluster.status(3).term, cluster.status(1).term);
  reconnect();
  cluster.tick([1, 2, 3], 20);
  assert.deepEqual(cluster.leaders(), [1]);
  assert.deepEqual([cluster.status(3).lead, cluster.status(3).term], [1, cluster.status(1).term]);
});

testModes('without pre-votes and leases it would depose the leader (thesis §9.6)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode, preVote: false, checkQuorum: false });
  cluster.elect(1);
  const reconnect = cluster.isolate(3);
  cluster.tick([1, 2, 3], 60);
  reconnect();
  cluster.tick([1, 2, 3], 10);
  assert.ok(cluster.status(1).term > 1);
});

test('a pre-vote promises nothing and does not wait for the disk (thesis §9.6)', () => {
  const one = new Single({ voters: [1, 2, 3], asyncStorageWrites: true });
  one.node.campaign();
  assert.deepEqual(
    one.node.ready().messages.map(({ type }) => type),
    ['preVote', 'preVote'],
  );
});
