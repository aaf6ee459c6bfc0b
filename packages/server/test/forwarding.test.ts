import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf } from '@deltabase/machine';
import { json, type Loose } from './support/test-client.js';
import { type TestNode, withCluster } from './support/test-cluster.js';
import { until } from './support/until.js';

const GROUPS = 3;
/** Documents in every group. */
const KEYS = Array.from({ length: 12 }, (_, at) => `key-${at}`);

function leaderOf(nodes: readonly TestNode[], key: string): TestNode {
  const id = nodes[0]!.server.engine.leaders()[groupOf('list', key, GROUPS)];
  return nodes.find((node) => node.id === id)!;
}

/** The leader that all nodes know; `undefined` while they differ. */
function agreedLeader(nodes: readonly TestNode[], key: string): TestNode | undefined {
  const group = groupOf('list', key, GROUPS);
  const ids = new Set(nodes.map(({ server }) => server.engine.leaders()[group]));
  return ids.size === 1 ? leaderOf(nodes, key) : undefined;
}

test('any node takes a message, and tells where the next one goes straight', async () => {
  await withCluster([], async (nodes) => {
    const told = new Set<number>();
    let seq = 0;
    for (const { client, address } of nodes) {
      seq++;
      for (const key of KEYS) {
        const before = agreedLeader(nodes, key);
        const answer = await client.send('list', key, 'push', seq);
        assert.deepEqual([answer.seq, String(answer.reply)], [seq, String(seq)]);
        // It moved meanwhile, or is about to.
        if (before === undefined || agreedLeader(nodes, key) !== before) continue;
        const straight = { group: groupOf('list', key, GROUPS), node: before.id };
        const route = address === before.address ? null : { ...straight, address: before.address };
        assert.deepEqual(answer.route, route);
        told.add(before.id);
      }
    }
    assert.ok(told.size > 0, 'somebody was told the way');
  });
});

test('any node reads, watches, lists, deploys and refuses as the leader does', async () => {
  await withCluster([], async (nodes) => {
    await nodes[0]!.client.send('list', 'a', 'push', 'x');
    for (const [at, { client }] of nodes.entries()) {
      const read = await client.call('get', { space: 'list', key: 'a' });
      assert.deepEqual([read.seq, String(read.value)], [1, '{"items":["x"],"length":1}']);
      const refused = await client.send('list', 'a', 'refuse', null).catch((error) => error);
      assert.equal(refused.details, 'not today');
      const watch = client.watch({ space: 'list', key: 'a', afterSeq: 0 });
      await until(() => watch.all('events').length === 1);
      assert.equal(watch.all('events')[0].delta.hash, read.hash);
      watch.call.cancel();
      const deltas = client.listDeltas({ space: 'list', key: 'a' });
      await until(() => deltas.status !== undefined);
      assert.equal(deltas.all('deltas').length, 1);
      const deployed = await client.call('deploy', {
        space: `s${at}`,
        module: Buffer.from('idle'),
      });
      assert.equal(deployed.version.version, 1);
      for (const other of nodes) await other.client.send(`s${at}`, 'a', 'wait', null);
    }
  });
});

test('a stream begins with all routes, and is told of each that changes', async () => {
  await withCluster([], async (nodes) => {
    const [stays, goes] = nodes;
    const stream = stays!.client.sendStream();
    await until(() => stream.responses.length > 0);
    const [first] = stream.responses;
    assert.equal(first.groups, GROUPS);
    assert.deepEqual(
      first.routes.map((route: Loose) => route.group),
      [1, 2, 3],
    );
    for (const { node, address } of first.routes.filter((route: Loose) => route.node !== 0)) {
      assert.equal(address, nodes.find(({ id }) => id === node)!.address);
    }
    const known = new Map<number, Loose>();
    await goes!.server.stop();
    await until(() => {
      for (const route of stream.all('routes')) known.set(route.group, route);
      return [...known.values()].every(({ node }) => node !== 0 && node !== goes!.id);
    });
    const now = stays!.server.engine.leaders();
    await until(() => [...known.values()].every(({ group, node }) => now[group] === node));
    stream.end();
  });
});

test('what waits for other nodes is bounded: the rest is OVERLOADED and told when to come back', async () => {
  await withCluster(['--limits', 'forwardsMax=4'], async (nodes) => {
    const leader = leaderOf(nodes, 'a');
    const { client } = nodes.find(({ id }) => id !== leader.id)!;
    const stream = client.sendStream();
    const message = { space: 'list', key: 'a', channel: 'push', payload: json(1) };
    stream.write({ messages: Array(100).fill(message) });
    await until(() => stream.results.length === 100);
    const refused = stream.results.filter(({ error }) => error !== null);
    assert.equal(refused.length, 96);
    for (const { error } of refused) {
      assert.deepEqual([error.code, error.details], ['OVERLOADED', { retryAfterMs: '100' }]);
      assert.match(error.message, /^too many messages wait for other nodes: send to the leader/);
    }
    const taken = stream.results.filter(({ error }) => error === null);
    assert.deepEqual(
      taken.map(({ number, seq }) => [number, seq]),
      [1, 2, 3, 4].map((n) => [n, n]),
    );
    stream.end();
  });
});
