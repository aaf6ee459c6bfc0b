// Raft §5.4.1: only who has every committed entry can be elected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NONE } from '../../src/types.js';
import { Cluster, testModes } from '../support/cluster.js';
import { preVote, vote } from '../support/messages.js';
import { Single } from '../support/single.js';

/** As in the paper: neither pre-votes nor leases. */
const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

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

test('who is elected has every entry that a majority has (§5.4.1, LeaderCompleteness)', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 5 }), fc.boolean(), (logs, candidate, mode) => {
      const voters = [1, 2, 3, 4, 5];
      const cluster = new Cluster({ voters: [] });
      for (const [at, length] of logs.entries()) {
        const terms = new Array<number>(length).fill(1);
        cluster.add(at + 1, { ...PLAIN, voters, terms, asyncStorageWrites: mode });
      }
      cluster.node(candidate).campaign();
      cluster.settle();
      const own = logs[candidate - 1]!;
      const onMajority = [...logs].sort((a, b) => b - a)[2]!;
      assert.equal(cluster.leaders()[0] === candidate, own >= onMajority, `${logs}`);
    }),
  );
});
