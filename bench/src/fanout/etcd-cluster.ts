// Three nodes of etcd on this machine, with its defaults, their data beside that of our nodes.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@deltabase/testkit';
import { sleep } from '../bench-cluster.js';
import { EtcdClient } from './etcd-client.js';

const START_MS = 30_000;
const NODES = ['a', 'b', 'c'] as const;

export interface EtcdCluster {
  readonly pids: readonly number[];
  readonly addresses: readonly string[];
  readonly version: string;
  /** Of the node that leads. */
  readonly client: EtcdClient;
}

/** The version of the etcd that is installed; `undefined`: none is. */
export function installedEtcd(): string | undefined {
  const { stdout, error } = spawnSync('etcd', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  return /etcd Version: (\S+)/.exec(stdout)?.[1];
}

/** Runs `use` with a cluster; nothing of it stays. */
export async function withEtcd<T>(use: (cluster: EtcdCluster) => Promise<T>): Promise<T> {
  const version = installedEtcd();
  if (version === undefined) throw new Error('etcd is not installed');
  const directory = await mkdtemp(join(tmpdir(), 'etcd-bench-'));
  const ports = await freePorts(2 * NODES.length);
  const addresses = NODES.map((_, at) => `127.0.0.1:${ports[2 * at]}`);
  const processes = NODES.map((name, at) => startNode(name, at, ports, directory));
  const killAll = (): void => {
    for (const { child } of processes) child.kill('SIGKILL');
  };
  process.on('exit', killAll);
  const clients = addresses.map((address) => new EtcdClient(address));
  try {
    const client = await leaderOf(clients, processes);
    return await use({
      pids: processes.map(({ child }) => child.pid!),
      addresses,
      version,
      client,
    });
  } finally {
    for (const client of clients) client.close();
    killAll();
    await Promise.all(processes.map(({ gone }) => gone));
    process.off('exit', killAll);
    await rm(directory, { recursive: true, force: true });
  }
}

interface NodeProcess {
  readonly child: ChildProcess;
  readonly gone: Promise<unknown>;
  /** What it has said last. */
  readonly said: () => string;
}

function startNode(
  name: string,
  at: number,
  ports: readonly number[],
  directory: string,
): NodeProcess {
  const clientUrl = (node: number): string => `http://127.0.0.1:${ports[2 * node]}`;
  const peerUrl = (node: number): string => `http://127.0.0.1:${ports[2 * node + 1]}`;
  const options = {
    name,
    'data-dir': join(directory, name),
    'listen-client-urls': clientUrl(at),
    'advertise-client-urls': clientUrl(at),
    'listen-peer-urls': peerUrl(at),
    'initial-advertise-peer-urls': peerUrl(at),
    'initial-cluster': NODES.map((other, node) => `${other}=${peerUrl(node)}`).join(','),
    logger: 'zap',
  };
  const args = Object.entries(options).map(([option, value]) => `--${option}=${value}`);
  const child = spawn('etcd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr!.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-2000);
  });
  return { child, gone: once(child, 'exit'), said: () => said };
}

async function leaderOf(
  clients: readonly EtcdClient[],
  processes: readonly NodeProcess[],
): Promise<EtcdClient> {
  const endMs = performance.now() + START_MS;
  let last: unknown;
  while (performance.now() < endMs) {
    try {
      const statuses = await Promise.all(clients.map((client) => client.status()));
      const at = statuses.findIndex(({ member, leader }) => member === leader);
      if (at >= 0) return clients[at]!;
    } catch (thrown) {
      last = thrown;
    }
    await sleep(100);
  }
  const words = processes.map(({ said }) => said()).join('\n');
  throw new Error(`etcd has no leader after ${START_MS} ms:\n${words}`, { cause: last });
}
