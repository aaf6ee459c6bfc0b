import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../src/index.js';
import { addressOf, connectIn, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

const LIST = { call: () => ({ machines: [] }) };
const READ = { call: () => ({ seq: 1, hash: '', value: Buffer.from('1') }) };

test('a client connects through any address that works and learns the others', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [LIST, LIST, LIST]);
  nodes.down.add(1);
  const client = await connectIn(world, {
    addresses: ['node:9001', 'node:9003'],
    transport: nodes,
  });
  const reports = await settled(world, client.cluster.nodes());
  assert.deepEqual(
    reports.map(({ node, address, kind }) => `${node} ${address} ${kind}`),
    ['1 node:9001 failed', '2 node:9002 status', '3 node:9003 status'],
  );
  await settled(world, client.close());
});

test('a client that begins with a replica learns the nodes at their own addresses, and goes to them', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [READ, READ, READ], 2);
  const client = await connectIn(world, { addresses: [addressOf(3)], transport: nodes });
  const reports = await settled(world, client.cluster.nodes());
  assert.deepEqual(
    reports.map(({ node, address, kind }) => `${node} ${address} ${kind}`),
    ['1 node:9001 status', '2 node:9002 status'],
  );
  await settled(world, client.document('s', 'k').get());
  assert.equal(nodes.calls.at(-1), 'Get 1');
  await settled(world, client.close());
});

test('a client that reaches no node works through a replica, and knows which node answers it', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [READ, READ, READ, READ], 2);
  nodes.down.add(1).add(2);
  const addresses = [addressOf(3), addressOf(4)];
  const client = await connectIn(world, { addresses, transport: nodes });
  const reports = await settled(world, client.cluster.nodes());
  assert.deepEqual(
    reports.map(({ node, address, kind }) => `${node} ${address} ${kind}`),
    ['1 node:9001 status', '2 node:9002 failed'],
  );
  await settled(world, client.document('s', 'k').get());
  assert.match(nodes.calls.at(-1)!, /^Get [34]$/);
  await settled(world, client.close());
});

/** A node that is down and a replica, which is cut off. */
function cutOffReplica() {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [READ, READ], 1);
  nodes.down.add(1);
  nodes.cutOff.add(2);
  return { world, nodes, options: { addresses: [addressOf(2)], transport: nodes } };
}

test('a replica without a way to the cluster gives its stale reads, and all else once it has one', async () => {
  const { world, nodes, options } = cutOffReplica();
  const client = await connectIn(world, options);
  const document = client.document('s', 'k');
  const { value } = await settled(world, document.get({ mode: 'stale' }));
  assert.deepEqual([value, nodes.calls], [1, ['Get 2']]);
  const patience = { deadlineMs: 500 };
  const asks: Array<() => Promise<unknown>> = [
    () => document.get({ ...patience }),
    () => document.get({ mode: 'stale', atSeq: 1, ...patience }),
    () => document.get({ mode: { withinMs: 1 }, ...patience }),
    () => client.cluster.nodes(patience),
  ];
  for (const ask of asks) {
    await assert.rejects(settled(world, ask()), { code: 'UNAVAILABLE', message: /no way/ });
  }
  assert.deepEqual(nodes.calls, ['Get 2']);
  const waiting = document.get();
  nodes.cutOff.delete(2);
  assert.equal((await settled(world, waiting)).value, 1);
  await settled(world, client.close());
});

test('a client that has lost every node gets stale reads of the replica that it was given', async () => {
  const { world, nodes, options } = cutOffReplica();
  nodes.down.delete(1);
  const client = await connectIn(world, {
    ...options,
    addresses: [addressOf(1), addressOf(2)],
  });
  const document = client.document('s', 'k');
  await settled(world, document.get({ mode: 'stale' }));
  nodes.down.add(1);
  nodes.breakStreams(1);
  await settled(world, document.get({ mode: 'stale' }));
  assert.deepEqual(nodes.calls, ['Get 1', 'Get 2']);
  await settled(world, client.close());
});

test('who needs the cluster does not connect to a replica without a way to it', async () => {
  const { world, options } = cutOffReplica();
  const connecting = connectIn(world, { clusterNeeded: true, connectMs: 2000, ...options });
  await assert.rejects(connecting, { code: 'UNAVAILABLE', message: /no way to the cluster/ });
});

test('without any node, connecting fails in time and names each address and its fault', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [LIST, LIST]);
  nodes.down.add(1).add(2);
  const connecting = connectIn(world, {
    addresses: nodes.addresses,
    transport: nodes,
    connectMs: 2000,
  });
  await assert.rejects(connecting, (error: Error & { code: string }) => {
    assert.equal(error.code, 'UNAVAILABLE');
    assert.match(error.message, /\(node:9001 refuses; node:9002 refuses\)/);
    return true;
  });
  assert.ok(world.nowMs() >= 2000 && world.nowMs() < 4500, `${world.nowMs()}`);
});

test('connecting can be aborted', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [LIST]);
  nodes.down.add(1);
  const controller = new AbortController();
  world.after(100, () => controller.abort());
  const { signal } = controller;
  const options = { addresses: nodes.addresses, transport: nodes, signal };
  await assert.rejects(connectIn(world, options), { code: 'CANCELLED' });
});

test('what cannot be an address is refused by name', async () => {
  for (const address of ['', 'localhost', 'host:port', 'http://host:1', '::1:4300']) {
    await assert.rejects(connect({ addresses: [address] }), { code: 'INVALID_ARGUMENT' });
  }
  for (const port of ['0', '00', '65536', '99999', '100000']) {
    const addresses = ['host:4300', `host:${port}`];
    const message = new RegExp(
      `^address "host:${port}": use host:port with a port from 1 to 65535`,
    );
    await assert.rejects(connect({ addresses }), { code: 'INVALID_ARGUMENT', message });
  }
  await assert.rejects(connect({ addresses: [] }), { code: 'INVALID_ARGUMENT' });
});

test('a call goes to another node when one is down, and the first comes back into use', async () => {
  const world = new VirtualWorld(3);
  const nodes = new ScriptedNodes(world, [LIST, LIST]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  nodes.down.add(1);
  for (let count = 0; count < 4; count++) await settled(world, client.machines.list());
  assert.deepEqual(new Set(nodes.calls), new Set(['ListMachines 2']));
  nodes.down.delete(1);
  nodes.down.add(2);
  await settled(world, client.machines.list());
  assert.equal(nodes.calls.at(-1), 'ListMachines 1');
  await settled(world, client.close());
});

test('a call that no node answers ends at its deadline and says what was last', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [LIST]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  nodes.down.add(1);
  const startMs = world.nowMs();
  await assert.rejects(settled(world, client.machines.list({ deadlineMs: 3000 })), {
    code: 'DEADLINE_EXCEEDED',
    message: /within 3000 ms \(last: node:9001 is down\)/,
  });
  assert.ok(world.nowMs() - startMs >= 2900 && world.nowMs() - startMs < 3200);
  await settled(world, client.close());
});

test('a deadline that makes no sense is refused', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [LIST]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  for (const deadlineMs of [0, -1, Number.NaN, 10 ** 9]) {
    await assert.rejects(client.machines.list({ deadlineMs }), { code: 'INVALID_ARGUMENT' });
  }
  await settled(world, client.close());
});
