import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, testModes } from './support/cluster.js';
import { bytesOf } from './support/entries.js';
import { append, only } from './support/messages.js';
import { Single } from './support/single.js';

const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

test('a proposal needs a leader, and a follower passes it on unless it may not (contract 12)', () => {
  const one = new Single(PLAIN);
  assert.throws(() => one.node.propose(bytesOf('a')), /no leader is known/);
  one.step(append({ from: 2, term: 1 }));
  const [passed] = only(one.propose('a', 'b'), 'propose');
  assert.deepEqual([passed!.to, passed!.term, passed!.entries.length], [2, 0, 2]);
  const refusing = new Single({ ...PLAIN, disableProposalForwarding: true });
  refusing.step(append({ from: 2, term: 1 }));
  assert.throws(() => refusing.node.propose(bytesOf('a')), /not passed on/);
});

testModes('a proposal that a follower passed on is committed everywhere', (mode) => {
  const cluster = new Cluster({ ...PLAIN, ...mode });
  cluster.elect(1);
  cluster.commit(2, 'from 2');
  for (const id of [1, 2, 3]) assert.deepEqual(cluster.texts(id), ['from 2']);
});

test('proposals of one call are taken together or not at all', () => {
  const one = new Single({ ...PLAIN, uncommittedBytesMax: 10 });
  one.leadAndCommit(2, 3);
  one.propose('12345');
  const before = one.status.lastIndex;
  assert.throws(() => one.node.propose(bytesOf('123'), bytesOf('456')), /too many bytes/);
  assert.equal(one.status.lastIndex, before);
  assert.equal(one.node.canPropose(5), true);
  assert.equal(one.node.canPropose(6), false);
});
