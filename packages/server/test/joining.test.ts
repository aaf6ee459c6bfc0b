// Nodes that join a cluster, or cannot, each in this process on a data directory of its own.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Server, startServer } from '../src/index.js';
import { freePorts } from './support/free-ports.js';
import {
  type LogLine,
  logInto,
  machines,
  type TestServer,
  testConfig,
  throwing,
  withServer,
} from './support/test-server.js';
import { until } from './support/until.js';

/** Runs `run` with a cluster of one node, and a folder for the data of others. */
async function withFirst(run: (first: TestServer, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-joining-'));
  try {
    await withServer([], (first) => run(first, folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function start(
  dataDir: string,
  flags: readonly string[],
  lines: LogLine[] = [],
): Promise<Server> {
  const config = testConfig(dataDir, flags);
  return await startServer(config, { log: logInto(lines), fatal: throwing, machines });
}

test('a node joins once it is added, starts again with the same flags, and says what it waits for meanwhile', async () => {
  await withFirst(async ({ client, address, server }, folder) => {
    const [peerPort, clientPort] = await freePorts(2);
    const place = {
      peerAddress: `127.0.0.1:${peerPort}`,
      clientAddress: `127.0.0.1:${clientPort}`,
    };
    const flags = [
      ...['--node', '2', '--join', address],
      ...['--listen', place.clientAddress, '--peer-listen', place.peerAddress],
    ];
    const lines: LogLine[] = [];
    const starting = start(join(folder, '2'), flags, lines);
    // Before, it may be told by a node that has just begun that this one does not know the members yet.
    const advice = /knows no node 2: add it with deltabase cluster add 2=PEER\/CLIENT/;
    await until(() =>
      lines.some(({ event, fields }) => {
        return event === 'waits-to-join' && advice.test(String(fields['reason']));
      }),
    );
    await client.call('addMember', { node: 2, ...place });
    let joined = await starting;
    const isVoter = (): boolean =>
      server.engine.members().change === undefined &&
      server.engine.members().members[1]?.role === 'voter';
    await until(isVoter);
    await joined.stop();
    joined = await start(join(folder, '2'), flags);
    await until(() => joined.engine.leaders().every((leader) => leader !== 0));
    await joined.stop();
  });
});

test('what cannot join ends its start with what to do', async () => {
  await withFirst(async ({ client, address, server }, folder) => {
    const flags = ['--node', '2', '--join', address];
    await assert.rejects(start(join(folder, 'a'), [...flags, '--cluster', 'other']), {
      code: 'INVALID_ARGUMENT',
      message: /is of cluster deltabase, this one is to join other: check --join and --cluster/,
    });
    await assert.rejects(start(join(folder, 'b'), [...flags, '--groups', '5']), {
      code: 'INVALID_ARGUMENT',
      message: /the cluster has 3 groups, not 5: leave --groups out/,
    });
    await until(() => server.engine.members().members[0]?.incarnation !== undefined);
    await assert.rejects(start(join(folder, 'c'), ['--node', '1', '--join', address]), {
      code: 'NODE_REMOVED',
      message: /node 1 has lost the data it had/,
    });
    // Started without --join by mistake, it began a cluster of its own.
    const alone = await start(join(folder, 'd'), ['--node', '2']);
    await until(() => alone.engine.members().clusterId !== '');
    await alone.stop();
    await client.call('addMember', {
      ...{ node: 2, peerAddress: '127.0.0.1:9', clientAddress: '127.0.0.1:10' },
    });
    await assert.rejects(start(join(folder, 'd'), flags), {
      code: 'NODE_MISMATCH',
      message: /of a cluster of its own, which node 2 once began.*name an empty data directory/,
    });
    await assert.rejects(start(join(folder, 'd'), ['--node', '3', '--join', address]), {
      code: 'NODE_MISMATCH',
    });
    await client.call('removeMember', { node: 2 });
    await until(() => server.engine.members().change === undefined);
    await assert.rejects(start(join(folder, 'e'), flags), {
      code: 'NODE_REMOVED',
      message: /node 2 was removed from the cluster.*add it under a new id/,
    });
  });
});
