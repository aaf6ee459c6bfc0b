import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadReplicaConfig, type ReplicaServer, startReplica } from '../src/index.js';
import { freePorts } from './support/free-ports.js';
import { errorIn, type Loose, TestClient } from './support/test-client.js';
import { type TestNode, withCluster } from './support/test-cluster.js';
import { type LogLine, logInto } from './support/test-server.js';
import { until } from './support/until.js';

interface TestReplica {
  readonly address: string;
  readonly server: ReplicaServer;
  readonly client: TestClient;
  readonly lines: readonly LogLine[];
}

/** Runs `run` with replicas, each with its own upstreams, of which a function may name one before it. */
async function withReplicas(
  upstreams: ReadonlyArray<(before: readonly TestReplica[]) => readonly string[]>,
  run: (replicas: readonly TestReplica[]) => Promise<void>,
): Promise<void> {
  const replicas: TestReplica[] = [];
  try {
    for (const [at, upstreamsOf] of upstreams.entries()) {
      const lines: LogLine[] = [];
      const flags = ['--upstream', upstreamsOf(replicas).join(','), '--listen', '127.0.0.1:0'];
      const config = loadReplicaConfig([...flags, '--name', `r${at + 1}`], {});
      const server = await startReplica(config, logInto(lines));
      const address = `127.0.0.1:${server.port}`;
      replicas.push({ address, server, client: new TestClient(address), lines });
    }
    await until(() => replicas.every(({ server }) => server.replica.origin.live));
    await run(replicas);
  } finally {
    for (const { client } of replicas) client.close();
    await Promise.all(replicas.map(({ server }) => server.stop()));
  }
}

function all(nodes: readonly TestNode[]): string[] {
  return nodes.map(({ address }) => address);
}

const MODES: readonly Loose[] = [
  { mode: 'READ_MODE_LINEARIZABLE' },
  { mode: 'READ_MODE_AT_LEAST_SEQ', atLeastSeq: 2 },
  { mode: 'READ_MODE_STALE' },
  { mode: 'READ_MODE_STALE', withinMs: 0 },
];

test('a replica, and a replica of it, answer reads in every mode as a node does', async () => {
  await withCluster([], async (nodes) => {
    await withReplicas([() => all(nodes), ([first]) => [first!.address]], async (replicas) => {
      const [node] = nodes;
      for (const payload of ['a', 'b', 'c']) await node!.client.send('list', 'x', 'push', payload);
      const wanted = await node!.client.call('get', { space: 'list', key: 'x' });
      for (const { client } of replicas) {
        for (const mode of MODES) {
          const got = await client.call('get', { space: 'list', key: 'x', ...mode });
          assert.deepEqual(
            [got.seq, got.hash, String(got.value)],
            [3, wanted.hash, String(wanted.value)],
          );
          assert.ok(got.stalenessMs >= 0, JSON.stringify(mode));
        }
        const old = await client.call('get', { space: 'list', key: 'x', atSeq: 1 });
        assert.deepEqual([old.seq, String(old.value)], [1, '{"items":["a"],"length":1}']);
        assert.equal(old.stalenessMs, undefined);
        const missing = { space: 'list', key: 'x', pointer: '/9' };
        await assert.rejects(client.call('get', missing), (error: Loose) => {
          assert.equal(errorIn(error).code, 'POINTER_NOT_FOUND');
          return true;
        });
      }
    });
  });
});

test('a linearizable read of a replica sees what was answered before it', async () => {
  await withCluster([], async (nodes) => {
    await withReplicas([() => all(nodes), ([first]) => [first!.address]], async ([, second]) => {
      for (let count = 1; count <= 30; count++) {
        await nodes[count % 3]!.client.send('list', 'y', 'push', count);
        const { seq } = await second!.client.call('get', { space: 'list', key: 'y' });
        assert.equal(seq, count);
      }
    });
  });
});

test('a watch of a replica has the state, then every delta with its cause, byte for byte', async () => {
  await withCluster([], async (nodes) => {
    await withReplicas([() => all(nodes), ([first]) => [first!.address]], async (replicas) => {
      const [node] = nodes;
      await node!.client.send('list', 'z', 'push', 'first');
      const clients = [node!.client, ...replicas.map(({ client }) => client)];
      const watches = clients.map((client) => client.watch({ space: 'list', key: 'z' }));
      await until(() => watches.every((watch) => watch.all('events').length === 1));
      for (let count = 0; count < 20; count++) await node!.client.send('list', 'z', 'push', count);
      await until(() => watches.every((watch) => watch.all('events').length === 21));
      const [wanted, ...others] = watches.map((watch) => watch.all('events'));
      for (const events of others) assert.deepEqual(events, wanted);
      // Behind a seq that is long gone from the copies it goes on from the history of the nodes.
      const again = replicas[1]!.client.watch({ space: 'list', key: 'z', afterSeq: 2 });
      await until(() => again.all('events').length === 19);
      assert.deepEqual(again.all('events'), wanted!.slice(2));
      for (const watch of [...watches, again]) watch.call.cancel();
    });
  });
});

test('a watch of a replica through pointers has the view, and steps as those of a node', async () => {
  await withCluster([], async (nodes) => {
    await withReplicas([() => all(nodes), ([first]) => [first!.address]], async (replicas) => {
      const [node] = nodes;
      await node!.client.send('list', 'v', 'push', 'first');
      const clients = [node!.client, ...replicas.map(({ client }) => client)];
      const view = { space: 'list', key: 'v', pointers: ['/items/5', '/items/11'] };
      const watches = clients.map((client) => client.watch(view));
      await until(() => watches.every((watch) => watch.all('events').length === 1));
      for (let count = 0; count < 20; count++) await node!.client.send('list', 'v', 'push', count);
      await until(() => watches.every((watch) => watch.all('events').length === 3));
      const [wanted, ...others] = watches.map((watch) => watch.all('events'));
      for (const events of others) assert.deepEqual(events, wanted);
      assert.deepEqual(
        wanted!.slice(1).map(({ composed }: Loose) => [composed.fromSeq, composed.seq]),
        [
          [1, 6],
          [6, 12],
        ],
      );
      // A replica has no earlier states to make steps from: a receiver begins with the view again.
      const again = replicas[1]!.client.watch({ ...view, pointers: ['/items/5'], afterSeq: 2 });
      await until(() => again.status !== undefined);
      assert.equal(errorIn(again.status!).code, 'HISTORY_GONE');
      for (const watch of watches) watch.call.cancel();
    });
  });
});

test('reads and watches are counted where they are served, and not what keeps copies current', async () => {
  await withCluster([], async (nodes) => {
    await withReplicas([() => all(nodes), ([first]) => [first!.address]], async (replicas) => {
      const [node] = nodes;
      await node!.client.send('list', 'h', 'push', 'first');
      const { client } = replicas[1]!;
      const watch = client.watch({ space: 'list', key: 'h' });
      await until(() => watch.all('events').length === 1);
      for (let count = 0; count < 4; count++) await node!.client.send('list', 'h', 'push', count);
      await until(() => watch.all('events').length === 5);
      for (let count = 0; count < 3; count++) await client.call('get', { space: 'list', key: 'h' });
      const { node: id, replica, documents } = await client.call('listHot', {});
      assert.deepEqual([id, replica], [0, 'r2']);
      assert.equal(documents.length, 1);
      const [{ space, key, leader, readsPerSecond, deliveriesPerSecond }] = documents;
      assert.deepEqual([space, key, leader], ['list', 'h', 0]);
      assert.ok(readsPerSecond > 0 && deliveriesPerSecond > 0);
      const counted = await client.call('getReplicaStatus', {});
      assert.deepEqual([counted.readsAnswered, counted.eventsDelivered], [3, 5]);
      const idle = await replicas[0]!.client.call('listHot', {});
      assert.deepEqual([idle.replica, idle.documents], ['r1', []]);
      for (const { client: other } of nodes) {
        const { counters } = await other.call('getStatus', {});
        assert.deepEqual([counters.readsAnswered, counters.eventsDelivered], [0, 0]);
      }
      watch.call.cancel();
    });
  });
});

test('what a replica does not answer itself it passes on', async () => {
  await withCluster([], async (nodes) => {
    await withReplicas([() => all(nodes), ([first]) => [first!.address]], async ([, second]) => {
      const { client } = second!;
      const { seq, route } = await client.send('list', 'w', 'push', 1);
      assert.equal(seq, 1);
      assert.ok(route === null || all(nodes).includes(route.address));
      const stream = client.sendStream();
      const message = { space: 'list', key: 'w', channel: 'push', payload: Buffer.from('2') };
      stream.write({ messages: [message, message] });
      await until(() => stream.results.length === 2);
      assert.deepEqual(
        stream.results.map((result) => result.seq),
        [2, 3],
      );
      stream.end();
      await until(() => stream.status !== undefined);
      assert.equal(stream.status!.code, 0);
      const listed = client.listDeltas({ space: 'list', key: 'w' });
      await until(() => listed.status !== undefined);
      assert.equal(listed.all('deltas').length, 3);
      const { members, node, via } = await client.call('getStatus', {});
      assert.deepEqual([members.length, node > 0, via], [3, true, ['r2', 'r1']]);
      assert.deepEqual((await nodes[0]!.client.call('getStatus', {})).via, []);
      const { machines } = await client.call('listMachines', {});
      assert.deepEqual(machines[0].space, 'list');
      await assert.rejects(client.send('nobody', 'w', 'push', 1), (error: Loose) => {
        assert.equal(errorIn(error).code, 'SPACE_NOT_FOUND');
        return true;
      });
      const health = await client.call('check', { service: '' });
      assert.equal(health.status, 'SERVING');
    });
  });
});

test('a replica without a way to the cluster says so at once, and that it gives stale reads', async () => {
  const [nowhere] = await freePorts(1);
  const flags = ['--upstream', `127.0.0.1:${nowhere}`, '--listen', '127.0.0.1:0', '--name', 'r1'];
  const server = await startReplica(loadReplicaConfig(flags, {}), logInto([]));
  const client = new TestClient(`127.0.0.1:${server.port}`);
  try {
    const stream = client.sendStream();
    await until(() => stream.status !== undefined);
    const refused = [
      client.call('getStatus', {}),
      client.send('list', 'x', 'push', 1),
      client.call('get', { space: 'list', key: 'x', atSeq: 1 }),
    ].map((call) => call.then(assert.fail, (error: Loose) => error));
    for (const error of [stream.status!, ...(await Promise.all(refused))]) {
      const { code, details } = errorIn(error);
      assert.deepEqual([code, details], ['UNAVAILABLE', { staleOnly: 'true' }]);
    }
  } finally {
    client.close();
    await server.stop();
  }
});

test('a read of a space without a machine is refused, and the replica goes on', async () => {
  await withCluster([], async (nodes) => {
    await withReplicas([() => all(nodes)], async ([only]) => {
      const { client, server } = only!;
      await assert.rejects(client.call('get', { space: 'nobody', key: 'x' }), (error: Loose) => {
        assert.equal(errorIn(error).code, 'SPACE_NOT_FOUND');
        return true;
      });
      assert.equal(server.replica.status().copies, 0);
      await nodes[0]!.client.send('list', 'x', 'push', 1);
      assert.equal((await client.call('get', { space: 'list', key: 'x' })).seq, 1);
    });
  });
});

test('replicas that feed each other in a circle find it out, and serve once one has another way', async () => {
  await withCluster([], async (nodes) => {
    await nodes[0]!.client.send('list', 'x', 'push', 1);
    const lines: LogLine[] = [];
    const make = (name: string, listen: string, upstream: string) =>
      startReplica(
        loadReplicaConfig(['--name', name, '--listen', listen, '--upstream', upstream], {}),
        logInto(lines),
      );
    // The port of the one is not known before it listens: it begins with a way to the cluster, and leaves it.
    const first = await make('r1', '127.0.0.1:0', nodes[0]!.address);
    const address = `127.0.0.1:${first.port}`;
    const second = await make('r2', '127.0.0.1:0', address);
    await until(() => second.replica.origin.live);
    await first.stop();
    const third = await make('r1', address, `127.0.0.1:${second.port},${nodes[0]!.address}`);
    const client = new TestClient(address);
    try {
      await until(() => third.replica.origin.live && second.replica.origin.live);
      assert.deepEqual(third.replica.status().via, []);
      assert.equal(third.replica.status().upstream, nodes[0]!.address);
      assert.equal((await client.call('get', { space: 'list', key: 'x' })).seq, 1);
    } finally {
      client.close();
      await Promise.all([second.stop(), third.stop()]);
    }
  });
});

test('what is hot gets copies of the replicas there are, by whatever node, and loses them when it cools', async () => {
  const limits = 'hotReadsPerSecondMin=5,copyReadsPerSecondMax=10,hotCoolMs=500,heatHalfLifeMs=300';
  await withCluster(['--limits', limits], async (nodes) => {
    await nodes[0]!.client.send('list', 'x', 'push', 1);
    const one = (): readonly string[] => [nodes[0]!.address];
    await withReplicas([one, one], async (replicas) => {
      // Each knows of one node, and is told of the others.
      await until(() =>
        replicas.every(({ server }) => server.replica.status().attachments === nodes.length),
      );
      const hot = { space: 'list', key: 'x' };
      const [, , node] = nodes;
      const copies = () => node!.server.engine.copiesOf(hot);
      assert.deepEqual(copies(), []);
      let isOver = false;
      const read = async (): Promise<void> => {
        while (!isOver) await node!.client.call('get', hot);
      };
      const early = node!.client.watch(hot);
      await until(() => early.all('events').length === 1);
      assert.deepEqual(early.head!.get('deltabase-copies'), []);
      const reading = [read(), read(), read()];
      await until(() => copies().length === 2);
      const wanted = replicas.map(({ address }) => address).sort();
      assert.deepEqual([...copies()].sort(), wanted);
      // Readers and watchers are told where they are, whenever they came; the past is not to be had there.
      const { response, head } = await node!.client.callAndHead('get', hot);
      assert.deepEqual([...response.copies].sort(), wanted);
      assert.deepEqual(String(head.get('deltabase-copies')).split(',').sort(), wanted);
      const old = await node!.client.callAndHead('get', { ...hot, atSeq: 1 });
      assert.deepEqual([old.response.copies, old.head.get('deltabase-copies')], [[], []]);
      const late = node!.client.watch(hot);
      for (const watch of [early, late]) {
        await until(() => new Set(watch.all('copies')).size === 2);
        assert.deepEqual([...new Set(watch.all('copies'))].sort(), wanted);
      }
      assert.deepEqual(String(late.head!.get('deltabase-copies')).split(',').sort(), wanted);
      const forCopy = node!.client.watch({ ...hot, forCopy: true });
      await until(() => forCopy.all('events').length === 1);
      assert.deepEqual(forCopy.all('copies'), []);
      for (const watch of [early, late, forCopy]) watch.call.cancel();
      for (const { server } of replicas) assert.equal(server.replica.status().orders, 1);
      const [listed] = (await node!.client.call('listHot', {})).documents;
      assert.deepEqual([listed.key, [...listed.copies].sort()], ['x', wanted]);
      isOver = true;
      await Promise.all(reading);
      await until(() => copies().length === 0);
      await until(() => replicas.every(({ server }) => server.replica.status().orders === 0));
    });
  });
});
