// A node in this process, on a real disk and real sockets, with a few machines that are JavaScript functions.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeltabaseError } from '@deltabase/base';
import { fromJson } from '@deltabase/delta';
import type { Log, LogFields } from '@deltabase/engine';
import { makeScriptMachines } from '@deltabase/testkit';
import { loadConfig, type Server, type ServerConfig, startServer } from '../../src/index.js';
import { TestClient } from './test-client.js';
import { until } from './until.js';

export interface LogLine {
  readonly event: string;
  readonly fields: LogFields;
}

export interface TestServer {
  readonly server: Server;
  readonly client: TestClient;
  readonly address: string;
  readonly lines: readonly LogLine[];
}

/** Scripts by name; a module is such a name. */
export const machines = makeScriptMachines({
  /** Appends payloads to a list and replies with its length. */
  list: {
    channels: ['push', 'look', 'refuse', 'big'],
    run({ call, payload, draft }) {
      const length = (draft.get('/length') as number | undefined) ?? 0;
      if (call.channel === 'refuse') throw new DeltabaseError('REJECTED', 'not today');
      if (call.channel === 'look') return length;
      if (call.channel === 'big') return 'x'.repeat(Number(payload));
      if (length === 0)
        draft.emit({ op: 'add', path: '', value: fromJson({ length: 0, items: [] }) });
      draft.emit({ op: 'add', path: '/items/-', value: fromJson(payload) });
      draft.emit({ op: 'replace', path: '/length', value: length + 1 });
      return length + 1;
    },
  },
  /** Does nothing. */
  idle: { channels: ['wait'], run: () => undefined },
});

/** Runs `run` with a node that serves and has the machine `list` deployed as `list`. */
export async function withServer(
  flags: readonly string[],
  run: (test: TestServer) => Promise<void>,
): Promise<void> {
  await withBareServer(flags, async (test) => {
    const health = test.client.watchHealth('');
    await until(() => health.responses.at(-1)?.status === 'SERVING');
    health.call.cancel();
    await test.client.call('deploy', { space: 'list', module: Buffer.from('list') });
    await run(test);
  });
}

/** Runs `run` with a node that has only just started. */
export async function withBareServer(
  flags: readonly string[],
  run: (test: TestServer) => Promise<void>,
): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'deltabase-server-'));
  const lines: LogLine[] = [];
  const config = testConfig(dataDir, flags);
  const server = await startServer(config, { log: logInto(lines), fatal: throwing, machines });
  const address = `127.0.0.1:${server.clientPort}`;
  const client = new TestClient(address);
  try {
    await run({ server, client, address, lines });
  } finally {
    client.close();
    await server.stop();
    await rm(dataDir, { recursive: true });
  }
}

/** A quick node alone, on free ports. */
export function testConfig(dataDir: string, flags: readonly string[] = []): ServerConfig {
  return loadConfig(flags, {
    DELTABASE_DATA_DIR: dataDir,
    DELTABASE_LISTEN: '127.0.0.1:0',
    DELTABASE_PEER_LISTEN: '127.0.0.1:0',
    DELTABASE_TICK_MS: '10',
    DELTABASE_GROUPS: '3',
  });
}

/** What failed storage does here: it fails the test. */
export function throwing(error: DeltabaseError): never {
  throw error;
}

/** A log that is kept. */
export function logInto(lines: LogLine[]): Log {
  const add = (event: string, fields: LogFields = {}): void => void lines.push({ event, fields });
  return { debug: add, info: add, warn: add, error: add };
}
