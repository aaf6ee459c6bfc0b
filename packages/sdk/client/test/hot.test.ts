import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentHeat } from '../src/index.js';
import { connectIn, type Script, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

function heat(key: string, readsPerSecond: number, more: Partial<DocumentHeat> = {}): DocumentHeat {
  return {
    space: 's',
    key,
    leader: 0,
    readsPerSecond,
    deliveriesPerSecond: 10,
    bytesPerSecond: 100,
    heat: readsPerSecond + 1,
    heatError: 0.5,
    copiesWanted: 0,
    copies: [],
    copiesHeat: 0,
    ...more,
  };
}

function node(id: number, documents: readonly DocumentHeat[]): Script {
  return { call: () => ({ node: id, replica: '', documents }) };
}

test('what several nodes serve of a document is added up, the hottest first', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [
    node(1, [heat('a', 5), heat('b', 1, { copies: ['r1', 'r2'], copiesHeat: 9 })]),
    node(2, [
      heat('b', 7, { leader: 2, copiesWanted: 2, copies: ['r2', 'r3'], copiesHeat: 8 }),
      heat('c', 3),
    ]),
    node(3, []),
  ]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const { documents, failed } = await settled(world, client.cluster.hot());
  assert.deepEqual(failed, []);
  assert.deepEqual(documents, [
    heat('b', 8, {
      ...{ leader: 2, deliveriesPerSecond: 20, bytesPerSecond: 200, heat: 10, heatError: 1 },
      ...{ copiesWanted: 2, copies: ['r1', 'r2', 'r3'], copiesHeat: 9 },
    }),
    heat('a', 5),
    heat('c', 3),
  ]);
  const one = await settled(world, client.cluster.hot({ node: 1, limit: 7 }));
  assert.deepEqual(
    one.documents.map(({ key }) => key),
    ['b', 'a'],
  );
  await assert.rejects(settled(world, client.cluster.hot({ node: 9 })), {
    code: 'NODE_NOT_FOUND',
  });
  await settled(world, client.close());
});

test('a node that does not answer is named, and one that was asked by two names counts once', async () => {
  const world = new VirtualWorld(1);
  const answers = [node(1, [heat('a', 5)]), node(1, [heat('a', 5)]), node(3, [])];
  const nodes = new ScriptedNodes(world, answers);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  nodes.down.add(3);
  const { documents, failed } = await settled(world, client.cluster.hot());
  assert.deepEqual(documents, [heat('a', 5)]);
  assert.deepEqual(
    failed.map(({ address, error }) => [address, error.code]),
    [['node:9003', 'UNAVAILABLE']],
  );
  for (const id of [1, 2]) nodes.down.add(id);
  await assert.rejects(settled(world, client.cluster.hot()), { code: 'UNAVAILABLE' });
  await settled(world, client.close());
});
