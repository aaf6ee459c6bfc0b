// Three nodes in this process, on real disks and sockets, with the machines of test-server.ts.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startServer } from '../../src/index.js';
import { freePorts } from './free-ports.js';
import { TestClient } from './test-client.js';
import { type LogLine, logInto, machines, testConfig, throwing } from './test-server.js';
import { until } from './until.js';

export interface TestNode {
  readonly id: number;
  /** Where clients reach it. */
  readonly address: string;
  readonly server: Server;
  readonly client: TestClient;
  readonly lines: readonly LogLine[];
}

const COUNT = 3;
/** All nodes share one thread with the test: patient enough that it calls no elections. */
const TICK_MS = '40';

/** Runs `run` with a cluster that has leaders and the machine `list` deployed as `list`. */
export async function withCluster(
  flags: readonly string[],
  run: (nodes: readonly TestNode[]) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-cluster-'));
  const ports = await freePorts(2 * COUNT);
  const members = idsOf().map((id) => `${id}=${peerOf(ports, id)}/${clientOf(ports, id)}`);
  const nodes: TestNode[] = [];
  try {
    for (const id of idsOf()) {
      const lines: LogLine[] = [];
      const config = testConfig(join(folder, String(id)), [
        ...['--node', String(id), '--members', members.join(',')],
        ...['--listen', clientOf(ports, id), '--peer-listen', peerOf(ports, id)],
        ...['--tick-ms', TICK_MS],
        ...flags,
      ]);
      const server = await startServer(config, { log: logInto(lines), fatal: throwing, machines });
      const address = clientOf(ports, id);
      nodes.push({ id, address, server, client: new TestClient(address), lines });
    }
    await until(() => nodes.every(({ server }) => agree(nodes, server.engine.leaders())));
    await nodes[0]!.client.call('deploy', { space: 'list', module: Buffer.from('list') });
    await run(nodes);
  } finally {
    for (const { client } of nodes) client.close();
    await Promise.all(nodes.map(({ server }) => server.stop()));
    await rm(folder, { recursive: true });
  }
}

/** Whether all nodes take `leaders` for the leaders, and every group has one. */
function agree(nodes: readonly TestNode[], leaders: readonly number[]): boolean {
  return (
    !leaders.includes(0) &&
    nodes.every(({ server }) => String(server.engine.leaders()) === String(leaders))
  );
}

function idsOf(): number[] {
  return Array.from({ length: COUNT }, (_, at) => at + 1);
}

function clientOf(ports: readonly number[], id: number): string {
  return `127.0.0.1:${ports[2 * id - 2]}`;
}

function peerOf(ports: readonly number[], id: number): string {
  return `127.0.0.1:${ports[2 * id - 1]}`;
}
