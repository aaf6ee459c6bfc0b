import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { decodeRecord } from '@deltabase/machine';
import { credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { codecOf, errorIn, type Loose } from './support/test-client.js';
import { withBareServer, withServer } from './support/test-server.js';
import { until } from './support/until.js';

async function codeOf(call: Promise<Loose>): Promise<[number, string]> {
  const error = await call.then(
    () => assert.fail('it should fail'),
    (thrown) => thrown,
  );
  return [error.code, errorIn(error).code];
}

test('machines are deployed, listed and given back', async () => {
  await withServer([], async ({ client }) => {
    const deploy = (more: object): Promise<Loose> =>
      client.call('deploy', { space: 'jobs', module: Buffer.from('list'), ...more });
    const first = await deploy({ expectedVersion: 0 });
    assert.equal(first.unchanged, false);
    const { space, version, channels, moduleBytes, principal, hash } = first.version;
    assert.deepEqual(
      [space, version, channels, moduleBytes, principal],
      ['jobs', 1, ['big', 'look', 'push', 'refuse'], 4, 'anonymous'],
    );
    assert.match(hash, /^[0-9a-f]{64}$/);
    assert.deepEqual(await codeOf(deploy({ module: Buffer.from('idle'), expectedVersion: 7 })), [
      status.ABORTED,
      'VERSION_CONFLICT',
    ]);
    assert.equal((await deploy({})).unchanged, true);
    const second = await deploy({ module: Buffer.from('idle'), expectedVersion: 1 });
    assert.equal(second.version.version, 2);

    const { machines } = await client.call('listMachines', {});
    assert.deepEqual(
      machines.map((machine: Loose) => [machine.space, machine.version]),
      [
        ['jobs', 2],
        ['list', 1],
      ],
    );
    const old = await client.call('getMachine', { space: 'jobs', version: 1, includeModule: true });
    assert.equal(String(old.module), 'list');
    assert.equal(old.machine.version, 1);
    assert.deepEqual(
      old.versions.map((each: Loose) => each.version),
      [1, 2],
    );
    const latest = await client.call('getMachine', { space: 'jobs' });
    assert.deepEqual([latest.machine.version, latest.module.length], [2, 0]);
  });
});

test('a machine that cannot be, or is not there, is an error', async () => {
  await withServer([], async ({ client }) => {
    const deploy = (request: object): Promise<Loose> => client.call('deploy', request);
    const { INVALID_ARGUMENT, NOT_FOUND } = status;
    assert.deepEqual(await codeOf(deploy({ space: 'x', module: Buffer.from('none') })), [
      INVALID_ARGUMENT,
      'MODULE_INVALID',
    ]);
    assert.deepEqual(await codeOf(deploy({ space: 'X!', module: Buffer.from('list') })), [
      INVALID_ARGUMENT,
      'INVALID_ARGUMENT',
    ]);
    const get = (request: object): Promise<Loose> => client.call('getMachine', request);
    assert.deepEqual(await codeOf(get({ space: '' })), [INVALID_ARGUMENT, 'INVALID_ARGUMENT']);
    for (const request of [{ space: 'none' }, { space: 'list', version: 9 }]) {
      assert.deepEqual(await codeOf(get(request)), [NOT_FOUND, 'SPACE_NOT_FOUND']);
    }
  });
});

test('the status tells of node, members, groups and counters', async () => {
  await withServer([], async ({ client, server, address }) => {
    await client.send('list', 'a', 'push', 1);
    const told = await client.call('getStatus', {});
    assert.deepEqual([told.cluster, told.node, told.version], ['deltabase', 1, '0.1.0']);
    const peerAddress = `127.0.0.1:${server.peerPort}`;
    assert.deepEqual(told.members, [{ node: 1, address, reachable: true, peerAddress }]);
    assert.deepEqual(
      told.groups.map((group: Loose) => [group.group, group.role, group.leader, group.voters]),
      [0, 1, 2, 3].map((group) => [group, 'leader', 1, [1]]),
    );
    assert(told.groups.every((group: Loose) => group.commitIndex >= 1 && group.term >= 1));
    const { counters } = told;
    assert.equal(counters.messagesFailed, 0);
    assert(counters.messagesExecuted >= 3 && counters.deltasApplied >= 3);
    assert(counters.diskBytesWritten > 0 && counters.diskBytesFree > 0 && counters.turns > 0);
    assert(counters.logBytesWritten > 0 && counters.logBytesWritten < counters.diskBytesWritten);
    assert(counters.processBytes > 10_000_000 && told.uptimeMs > 0);
  });
});

test('the status counts what clients and the node send to each other', async () => {
  await withServer([], async ({ client }) => {
    await client.send('list', 'a', 'push', 1);
    const counts = async (): Promise<[number, number]> => {
      const { counters } = await client.call('getStatus', {});
      return [counters.clientBytesReceived, counters.clientBytesSent];
    };
    const request = { space: 'list', key: 'a' };
    const [receivedBefore, sentBefore] = await counts();
    const response = await client.call('get', request);
    const sizeOf = (name: string, message: object): number =>
      codecOf(`deltabase.v1.${name}`).encode(message).length;
    assert.deepEqual(await counts(), [
      receivedBefore + sizeOf('GetRequest', request),
      sentBefore + sizeOf('GetResponse', response),
    ]);
  });
});

test('the log of a group is read to its end, or followed', async () => {
  await withServer(['--groups', '1'], async ({ client }) => {
    await client.send('list', 'a', 'push', 'one');
    const read = async (request: object): Promise<Loose[]> => {
      const log = client.readLog(request);
      await until(() => log.status !== undefined);
      assert.equal(log.status!.code, status.OK);
      return log.all('entries');
    };
    const entries = await read({ group: 1 });
    assert.deepEqual(
      entries.map(({ kind }) => kind),
      ['empty', 'activate', 'deltas'],
    );
    assert.deepEqual(
      entries.map(({ index, committed }) => [index, committed]),
      entries.map((_, at) => [entries[0].index + at, true]),
    );
    const [record] = entries[2].records.map(decodeRecord);
    assert.deepEqual([record.space, record.key, record.seq], ['list', 'a', 1]);
    assert.equal(entries[1].summary, 'list runs version 1 from here on');
    const last = entries[2].index;
    assert.equal((await read({ group: 1, fromIndex: last }))[0].index, last);
    assert.equal((await read({ group: 1, limit: 2 })).length, 2);
    assert.deepEqual(await read({ group: 1, fromIndex: last + 1 }), []);

    const followed = client.readLog({ group: 1, fromIndex: last + 1, follow: true });
    await client.send('list', 'a', 'push', 'two');
    await client.send('list', 'a', 'push', 'three');
    await until(() => followed.all('entries').length === 2);
    assert.deepEqual(
      followed.all('entries').map(({ index }) => index),
      [last + 1, last + 2],
    );
    followed.call.cancel();

    const bad = client.readLog({ group: 2 });
    await until(() => bad.status !== undefined);
    assert.deepEqual([bad.status!.code, errorIn(bad.status!).code], [3, 'INVALID_ARGUMENT']);
  });
});

test('health says whether this node serves, as a whole and by service', async () => {
  await withServer([], async ({ client, server }) => {
    const check = async (service: string): Promise<string> =>
      (await client.call('check', { service })).status;
    const names = ['', 'deltabase.v1.DocumentsService', 'deltabase.v1.ClusterService'];
    for (const name of names) assert.equal(await check(name), 'SERVING');
    const unknown = await client.call('check', { service: 'none' }).catch((error) => error);
    assert.equal(unknown.code, status.NOT_FOUND);
    const watched = client.watchHealth('');
    await until(() => watched.responses.length === 1);
    const stopped = server.stop();
    await until(() => watched.responses.length === 2);
    assert.deepEqual(
      watched.responses.map((response) => response.status),
      ['SERVING', 'NOT_SERVING'],
    );
    await stopped;
  });
});

test('a node without a leader does not serve', async () => {
  const members = '1=127.0.0.1:1/127.0.0.1:2,2=127.0.0.1:3/127.0.0.1:4,3=127.0.0.1:5/127.0.0.1:6';
  await withBareServer(['--members', members], async ({ client }) => {
    assert.equal((await client.call('check', { service: '' })).status, 'NOT_SERVING');
    const sent = client.send('list', 'a', 'push', 1);
    assert.deepEqual(await codeOf(sent), [status.UNAVAILABLE, 'UNAVAILABLE']);
  });
});

test('reflection tells of every service', async () => {
  await withServer([], async ({ address }) => {
    const listed = await reflect(address, { list_services: '' });
    assert.deepEqual(
      listed.list_services_response.service.map((service: Loose) => service.name).sort(),
      [
        'deltabase.v1.ClusterService',
        'deltabase.v1.DocumentsService',
        'deltabase.v1.MachinesService',
        'deltabase.v1.ReplicasService',
        'grpc.health.v1.Health',
      ],
    );
    const file = await reflect(address, {
      file_containing_symbol: 'deltabase.v1.DocumentsService',
    });
    const [descriptor] = file.file_descriptor_response.file_descriptor_proto;
    assert.match(Buffer.from(descriptor).toString('latin1'), /SendStreamRequest/);
  });
});

/** Asks one thing of the reflection service. */
async function reflect(address: string, request: object): Promise<Loose> {
  const index = createRequire(import.meta.url).resolve('@grpc/reflection');
  const proto = join(dirname(index), '../proto/grpc/reflection/v1/reflection.proto');
  // biome-ignore lint/suspicious/noExplicitAny: the loader's tree of constructors.
  const tree = loadPackageDefinition(loadSync(proto, { keepCase: true })) as any;
  const { ServerReflection } = tree.grpc.reflection.v1;
  const client = new ServerReflection(address, credentials.createInsecure());
  const call = client.ServerReflectionInfo();
  const answer = new Promise<Loose>((resolve, reject) => {
    call.on('data', resolve);
    call.on('error', reject);
  });
  call.write(request);
  call.end();
  try {
    return await answer;
  } finally {
    client.close();
  }
}

test('a node tells which of its documents are read and watched most', async () => {
  const flags = ['--limits', 'heatHalfLifeMs=1000000,hotReadsPerSecondMin=1'];
  await withServer(flags, async ({ client }) => {
    for (const key of ['a', 'b']) await client.send('list', key, 'push', 1);
    await client.call('get', { space: 'list', key: 'b' });
    for (let count = 0; count < 3; count++) await client.call('get', { space: 'list', key: 'a' });
    const { node, documents } = await client.call('listHot', {});
    assert.equal(node, 1);
    assert.deepEqual(
      documents.map(({ space, key, leader, copiesWanted }: Loose) => [
        ...[space, key, leader, copiesWanted],
      ]),
      [
        ['list', 'a', 1, 0],
        ['list', 'b', 1, 0],
      ],
    );
    const [a, b] = documents;
    assert.ok(Math.abs(a.readsPerSecond / b.readsPerSecond - 3) < 0.01);
    assert.ok(a.bytesPerSecond > 0 && a.heat === a.readsPerSecond && a.heatError === 0);
    assert.equal(a.deliveriesPerSecond, 0);
    assert.equal((await client.call('listHot', { limit: 1 })).documents.length, 1);
    const { counters } = await client.call('getStatus', {});
    assert.deepEqual(
      [counters.readsAnswered, counters.eventsDelivered, counters.documentsHot],
      [4, 0, 0],
    );
  });
});
