// A node that is started at other addresses, with all its data.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Server, startServer } from '../src/index.js';
import { freePorts } from './support/free-ports.js';
import { type LogLine, logInto, machines, testConfig, throwing } from './support/test-server.js';
import { until } from './support/until.js';

interface Place {
  readonly peer: string;
  readonly client: string;
}

/** Starts a node; `members` as on the command line. */
function start(folder: string, id: number, place: Place, members?: string): Promise<Server> {
  const lines: LogLine[] = [];
  const config = testConfig(join(folder, String(id)), [
    ...['--node', String(id), '--tick-ms', '40'],
    ...['--listen', place.client, '--peer-listen', place.peer],
    ...(members === undefined ? [] : ['--members', members]),
  ]);
  return startServer(config, { log: logInto(lines), fatal: throwing, machines });
}

function memberText(id: number, { peer, client }: Place): string {
  return `${id}=${peer}/${client}`;
}

test('the others find a node where it says that it is now, and serve on with it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-moved-'));
  const ports = (await freePorts(8)).map((port) => `127.0.0.1:${port}`);
  const places = [0, 1, 2, 3].map((at) => ({ peer: ports[2 * at]!, client: ports[2 * at + 1]! }));
  const [first, second, third, elsewhere] = places as [Place, Place, Place, Place];
  const founders = [first, second, third].map((place, at) => memberText(at + 1, place)).join(',');
  const servers = new Map<number, Server>();
  const stop = async (): Promise<void> => {
    await Promise.all([...servers.values()].map((server) => server.stop()));
    servers.clear();
  };
  const allKnow = ({ peer, client }: Place): boolean =>
    [...servers.values()].every(({ engine }) => {
      const member = engine.members().members.find(({ node }) => node === 2);
      const isJoined = member?.incarnation !== undefined;
      return isJoined && member.peerAddress === peer && member.clientAddress === client;
    });
  try {
    for (const [at, place] of [first, second, third].entries()) {
      servers.set(at + 1, await start(folder, at + 1, place, founders));
    }
    await until(() => allKnow(second));
    await stop();
    // From now on the others go by what they know themselves, which is where it was.
    servers.set(1, await start(folder, 1, first));
    servers.set(3, await start(folder, 3, third));
    servers.set(2, await start(folder, 2, elsewhere, memberText(2, elsewhere)));
    await until(() => allKnow(elsewhere));
    // A quorum that needs it has leaders.
    await servers.get(3)!.stop();
    servers.delete(3);
    const { engine } = servers.get(1)!;
    await until(() => engine.leaders().every((lead) => lead === 1 || lead === 2));
  } finally {
    await stop();
    await rm(folder, { recursive: true });
  }
});
