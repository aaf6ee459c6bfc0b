// Raft §7: log compaction, and snapshots for followers that are too far behind.

import assert from 'node:assert/strict';
import { Cluster, laggingCluster, testModes } from '../support/cluster.js';
import { conf, snapshotAt } from '../support/entries.js';
import { only, snapshotMessage } from '../support/messages.js';
import { Single } from '../support/single.js';

const THREE = [1, 2, 3];

const PLAIN = { voters: THREE, preVote: false, checkQuorum: false };

testModes(
  'a follower that needs what is compacted gets the snapshot, then the rest (§7)',
  (mode) => {
    const cluster = laggingCluster(mode);
    cluster.propose(1, 'g');
    cluster.tick(1, 3);
    assert.equal(only(cluster.sent, 'snapshot').length, 1);
    assert.deepEqual(cluster.texts(3), ['g'], 'only what came after the snapshot was applied');
    assert.deepEqual(cluster.host(3).machine, cluster.host(1).machine);
    assert.equal(cluster.peer(1, 3).state, 'replicate');
  },
);

testModes('a snapshot brings the configuration of its moment (§7)', (mode) => {
  const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
  cluster.elect(1);
  const cut = cluster.isolate(3);
  cluster.changeTo(1, { transition: 'auto', changes: [{ kind: 'addLearner', node: 4 }] });
  cluster.host(1).disk.compact(0);
  cut();
  cluster.tick(1, 3);
  assert.deepEqual(cluster.host(3).confState, conf({ voters: THREE, learners: [4] }));
  assert.deepEqual(cluster.node(3).status().conf, cluster.host(3).confState);
});

testModes('a follower forgets its whole log for a snapshot that it cannot match (§7)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, terms: [1, 1, 1, 1, 1, 1] });
  const snapshot = snapshotAt(4, 2, [1, 2]);
  const [answer] = only(
    one.step(snapshotMessage({ from: 2, term: 3, snapshot })),
    'appendResponse',
  );
  assert.deepEqual([answer!.reject, answer!.index], [false, 4]);
  const { commit, applied, firstIndex, lastIndex } = one.status;
  assert.deepEqual([commit, applied, firstIndex, lastIndex], [4, 4, 5, 4]);
  assert.deepEqual(one.node.status().conf.voters, [1, 2]);
});

testModes('a follower keeps what follows a snapshot that its log matches (§7)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, terms: [1, 1, 2, 2, 2] });
  const snapshot = snapshotAt(3, 2, THREE);
  const [answer] = only(
    one.step(snapshotMessage({ from: 2, term: 2, snapshot })),
    'appendResponse',
  );
  assert.equal(answer!.index, 3);
  const { commit, applied, firstIndex, lastIndex } = one.status;
  assert.deepEqual([commit, applied, firstIndex, lastIndex], [3, 3, 1, 5]);
});

testModes('a snapshot older than what is committed changes nothing (§7)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, terms: [1, 1, 1], hardState: { commit: 3 } });
  one.host.pump();
  one.host.disk.compact(0);
  for (const snapshot of [snapshotAt(2, 1, [1]), snapshotAt(3, 1, [1])]) {
    const sent = one.step(snapshotMessage({ from: 2, term: 1, snapshot }));
    assert.equal(only(sent, 'appendResponse')[0]!.index, 3);
    assert.deepEqual([one.status.lastIndex, one.host.confState.voters], [3, THREE]);
  }
});

testModes(
  'a snapshot is acknowledged, and lets it campaign, only once it is durable (§7)',
  (mode) => {
    const one = new Single({ ...PLAIN, ...mode });
    one.node.step(snapshotMessage({ from: 2, term: 1, snapshot: snapshotAt(9, 1, THREE) }));
    const ready = one.host.take();
    assert.equal(ready.append!.mustSync, true);
    assert.equal(ready.append!.snapshot!.index, 9);
    assert.deepEqual(one.take(), []);
    for (let passed = 0; passed < 20; passed++) one.node.tick();
    assert.equal(one.status.role, 'follower');
    one.host.pump();
    assert.equal(only(one.take(), 'appendResponse')[0]!.index, 9);
    one.tick(10);
    assert.equal(one.status.role, 'candidate');
  },
);

testModes('servers compact on their own, and the rest of the log stays as it was (§7)', (mode) => {
  const cluster = new Cluster({ voters: THREE, ...mode });
  cluster.elect(1);
  cluster.commit(1, 'a', 'b', 'c');
  for (const [id, keep] of [
    [1, 2],
    [2, 0],
  ] as const) {
    cluster.host(id).disk.compact(keep);
  }
  assert.deepEqual(
    THREE.map((id) => [cluster.status(id).firstIndex, cluster.status(id).lastIndex]),
    [
      [3, 4],
      [5, 4],
      [1, 4],
    ],
  );
  cluster.commit(1, 'd');
  cluster.elect(2);
  cluster.commit(2, 'e');
  assert.equal(only(cluster.sent, 'snapshot').length, 0, 'nobody lacks what is gone');
  for (const id of THREE) assert.deepEqual(cluster.texts(id), ['a', 'b', 'c', 'd', 'e']);
});
