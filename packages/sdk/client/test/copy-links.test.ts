import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyLinks } from '../src/cluster/copy-links.js';
import { CLIENT_LIMITS } from '../src/limits.js';
import { addressOf, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

const [A, B, C] = [1, 2, 3].map(addressOf) as [string, string, string];

function setUp(limits = {}) {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [{}, {}, {}]);
  const links = new CopyLinks({
    world,
    transport: nodes,
    limits: { ...CLIENT_LIMITS, ...limits },
  });
  return { world, nodes, links };
}

test('a copy that failed is left alone for a while, others are not', async () => {
  const { world, links } = setUp();
  const use = links.use(A);
  use.failed();
  use.left();
  assert.deepEqual([links.mayUse(A), links.mayUse(B)], [false, true]);
  await world.run(4999);
  assert.equal(links.mayUse(A), false);
  await world.run(1);
  assert.equal(links.mayUse(A), true);
});

test('a connection is shared, and closed when nobody has used it for a while', async () => {
  const { world, nodes, links } = setUp();
  const [first, second] = [links.use(A), links.use(A)];
  assert.deepEqual(nodes.links, [1]);
  first.left();
  await world.run(100_000);
  assert.deepEqual(nodes.links, [1]);
  second.left();
  await world.run(59_999);
  links.use(A).left();
  await world.run(59_999);
  assert.deepEqual(nodes.links, [1]);
  await world.run(1);
  assert.deepEqual([nodes.links, links.size], [[], 0]);
});

test('there are no more connections than the limit says: one that is not used makes room', () => {
  const { nodes, links } = setUp({ copyLinksMax: 2 });
  const [first, second] = [links.use(A), links.use(B)];
  assert.equal(links.mayUse(C), false);
  second.left();
  assert.equal(links.mayUse(C), true);
  links.use(C);
  assert.deepEqual(nodes.links, [1, 3]);
  first.left();
  links.close();
  assert.deepEqual(nodes.links, []);
  assert.equal(links.mayUse(A), false);
});

test('whether a copy is there is asked once for all who want to know, and not of who has just answered', async () => {
  const { world, nodes, links } = setUp();
  const all = await settled(world, Promise.all([links.isThere(A), links.isThere(A)]));
  assert.deepEqual(all, [true, true]);
  assert.deepEqual(nodes.calls, ['GetReplicaStatus 1']);
  await settled(world, links.isThere(A));
  assert.deepEqual(nodes.calls, ['GetReplicaStatus 1']);
  await world.run(4000);
  nodes.down.add(1);
  assert.equal(await settled(world, links.isThere(A)), false);
  assert.equal(links.mayUse(A), false);
  links.close();
});
