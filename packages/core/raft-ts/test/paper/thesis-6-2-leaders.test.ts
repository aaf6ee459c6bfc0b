// Thesis §6.2: a leader that cannot reach a majority does not keep clients waiting.

import assert from 'node:assert/strict';
import { NONE } from '../../src/types.js';
import { Cluster, testModes } from '../support/cluster.js';

const THREE = { voters: [1, 2, 3] };

testModes('a leader that a majority does not hear steps down (thesis §6.2)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode });
  cluster.elect(1);
  const reconnect = cluster.isolate(1);
  cluster.tick(1, 20);
  assert.deepEqual([cluster.status(1).role, cluster.status(1).lead], ['follower', NONE]);
  reconnect();
  const half = cluster.isolate(3);
  cluster.elect(1);
  cluster.tick([1, 2], 40);
  assert.equal(cluster.status(1).role, 'leader', 'one follower is enough');
  half();
});

testModes('who has no leader says so at once, and who was deposed too (thesis §6.2)', (mode) => {
  const cluster = new Cluster({ ...THREE, ...mode });
  assert.throws(() => cluster.propose(2, 'early'), /no leader is known/);
  cluster.elect(1);
  cluster.isolate(1);
  cluster.tick(1, 20);
  assert.throws(() => cluster.propose(1, 'late'), /no leader is known/);
  assert.equal(cluster.node(1).canPropose(1), false);
});
