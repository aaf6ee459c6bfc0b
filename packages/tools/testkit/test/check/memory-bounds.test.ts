import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import { MemoryBounds, TokenCluster } from '../../src/index.js';

test('a queue that holds more than its limit is found, and one that is full is told of', () => {
  const reached: Array<keyof Limits> = [];
  const tokens = new TokenCluster({ seed: 1 });
  const bounds = new MemoryBounds(tokens.cluster, (limit) => reached.push(limit));
  const limits = { ...DEFAULT_LIMITS, groupQueueMax: 3, forwardsMax: 2 };
  const look = (limit: keyof Limits, used: number): void =>
    bounds.look('node 1', { limit, used, group: 2 }, limits);
  look('groupQueueMax', 2);
  look('groupQueueMax', 3);
  look('forwardsMax', 0);
  assert.deepEqual(reached, ['groupQueueMax']);
  assert.throws(() => look('groupQueueMax', 4), /node 1 group 2: 4 is more than groupQueueMax, 3/);
});

test('the queues of a cluster that is busy are looked at', () => {
  const reached = new Set<keyof Limits>();
  const limits = { groupQueueMax: 2, forwardsMax: 2, inflightAppendsMax: 1 };
  const tokens = new TokenCluster({ seed: 1, limits, reached: (limit) => reached.add(limit) });
  tokens.start();
  const client = tokens.client('c');
  for (let round = 0; round < 40; round++) {
    for (let count = 0; count < 5; count++) client.send('k', 'append');
    tokens.run(20);
  }
  assert.ok(reached.has('inflightAppendsMax'));
  assert.ok(reached.has('groupQueueMax'));
  tokens.check();
});
