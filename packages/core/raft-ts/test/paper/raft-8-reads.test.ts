// Raft §8: a new leader does not know what is committed, and no leader knows whether it still leads.

import assert from 'node:assert/strict';
import { Cluster, testModes } from '../support/cluster.js';
import { bytesOf } from '../support/entries.js';
import { heartbeatResponse, only } from '../support/messages.js';
import { answers, read } from '../support/reads.js';
import { Single } from '../support/single.js';

const THREE = { voters: [1, 2, 3] };

testModes('a leader knows what is committed once an entry of its term is (§8)', (mode) => {
  const one = new Single({ ...THREE, ...mode, terms: [1], hardState: { commit: 1 } });
  one.lead(2);
  assert.equal(one.node.leadsWithCommit, false);
  one.acknowledge(2);
  assert.equal(one.node.leadsWithCommit, true);
});

testModes('a read waits until a majority has confirmed the leader after it came (§8)', (mode) => {
  const one = new Single({ ...THREE, ...mode });
  one.leadAndCommit(2, 3);
  const asked = only(read(one, 'r'), 'heartbeat');
  assert.deepEqual(
    asked.map(({ to }) => to),
    [2, 3],
  );
  assert.deepEqual(one.reads, []);
  const { term } = one.status;
  one.step(heartbeatResponse({ from: 2, term, readRound: asked[0]!.readRound }));
  assert.deepEqual(answers(one.reads), ['r@1']);
});

testModes(
  'a read before the first commit of the term waits for it, and then for a round (§8)',
  (mode) => {
    const one = new Single({ ...THREE, ...mode, terms: [1, 1], hardState: { commit: 1 } });
    one.lead(2);
    assert.deepEqual(only(read(one, 'a'), 'heartbeat'), []);
    read(one, 'b');
    const asked = only(one.acknowledge(2), 'heartbeat');
    assert.equal(asked.length, 2, 'reads that waited share one round');
    assert.deepEqual(one.reads, []);
    one.step(heartbeatResponse({ from: 3, term: 2, readRound: asked[0]!.readRound }));
    assert.deepEqual(answers(one.reads), ['a@3', 'b@3']);
  },
);

testModes(
  'a leader that is cut off answers no read, and one that steps down forgets it (§8)',
  (mode) => {
    const cluster = new Cluster({ ...THREE, ...mode });
    cluster.elect(1);
    const cut = cluster.isolate(1);
    cluster.node(1).readIndex(bytesOf('stale'));
    cluster.tick([1, 2, 3], 25);
    cluster.commit(cluster.leaders()[0]!, 'new');
    cut();
    cluster.tick([1, 2, 3], 25);
    assert.deepEqual(cluster.reads.get(1), []);
  },
);
