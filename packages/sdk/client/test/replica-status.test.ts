import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, connectIn, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

async function setUp(limits = {}) {
  const world = new VirtualWorld(1);
  // A node, and two replicas that it does not name.
  const nodes = new ScriptedNodes(world, [{}, {}, {}], 1);
  const [address] = nodes.addresses;
  const client = await connectIn(world, { addresses: [address!], transport: nodes, limits });
  return { world, nodes, client };
}

test('a replica tells of itself, over a connection that is closed later', async () => {
  const { world, nodes, client } = await setUp();
  const { name } = await settled(world, client.cluster.replica(addressOf(2)));
  assert.equal(name, 'r2');
  assert.deepEqual(nodes.links, [1, 2]);
  await world.run(100_000);
  assert.deepEqual(nodes.links, [1]);
  await settled(world, client.close());
});

test('a replica that is down, or for which there is no room, is UNAVAILABLE', async () => {
  const { world, nodes, client } = await setUp({ copyLinksMax: 1 });
  nodes.down.add(2);
  await assert.rejects(settled(world, client.cluster.replica(addressOf(2))), {
    code: 'UNAVAILABLE',
  });
  await assert.rejects(settled(world, client.cluster.replica('r2:99999')), {
    code: 'INVALID_ARGUMENT',
  });
  nodes.down.delete(2);
  const asked = client.cluster.replica(addressOf(2));
  await assert.rejects(settled(world, client.cluster.replica(addressOf(3))), {
    code: 'UNAVAILABLE',
    message: /has enough connections/,
  });
  assert.equal((await settled(world, asked)).name, 'r2');
  await settled(world, client.close());
});

test('what a node says of itself is shown, not what a replica passes on; that only if nothing else is there', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [{}, {}], 1);
  const addresses = [addressOf(2), addressOf(1)];
  const client = await connectIn(world, { addresses, transport: nodes });
  const reports = async () => {
    const found = await settled(world, client.cluster.nodes());
    return found.map((report) => [
      report.node,
      report.address,
      report.kind === 'status' ? report.status.via : report.kind,
    ]);
  };
  assert.deepEqual(await reports(), [[1, addressOf(1), []]]);
  nodes.down.add(1);
  assert.deepEqual(await reports(), [[1, addressOf(1), ['r2']]]);
  await settled(world, client.close());
});
