// Clusters for benchmarks: three real nodes on loopback, and what the operating system says of them.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '@deltabase/client';
import { ProcessCluster, type ProcessClusterOptions } from '@deltabase/testkit';

/** The workspace's root. */
export const ROOT = new URL('../../../', import.meta.url).pathname;

export interface BenchCluster {
  readonly cluster: ProcessCluster;
  readonly client: Client;
}

/** Runs `use` with a cluster and a client of it; nothing of them stays. */
export async function withBenchCluster<T>(
  options: Omit<ProcessClusterOptions, 'directory' | 'program'>,
  use: (bench: BenchCluster) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'deltabase-bench-'));
  const program = join(ROOT, 'packages/server/dist/src/main.js');
  let cluster: ProcessCluster | undefined;
  let client: Client | undefined;
  try {
    cluster = await ProcessCluster.start({ ...options, directory, program });
    client = await connect({ addresses: cluster.addresses });
    await leadersSpread(client);
    return await use({ cluster, client });
  } finally {
    await client?.close({ abandon: true });
    await cluster?.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The module of an example machine. */
export function exampleModule(name: string): Promise<Uint8Array> {
  return readFile(join(ROOT, 'examples', name, 'build', 'machine.wasm'));
}

/** The module of a machine of our own, compiled now. */
export async function benchModule(name: string): Promise<Uint8Array> {
  const { buildMachine } = await import('@deltabase/guest-assemblyscript/build');
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-bench-'));
  try {
    const output = join(folder, 'machine.wasm');
    const source = join(ROOT, 'bench', 'machines', name, 'machine.ts');
    await buildMachine({ source, output, baseDir: ROOT });
    return await readFile(output);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Resident memory of a process, bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** CPU time that the nodes' processes have used, seconds. */
export async function cpuSeconds(cluster: ProcessCluster): Promise<number> {
  const used = await Promise.all(cluster.nodes.map(({ pid }) => processCpuSeconds(pid!)));
  return used.reduce((sum, seconds) => sum + seconds, 0);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const TICKS_PER_SECOND = 100;

async function processCpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Leaders move to the nodes that should have them within seconds of the start. */
async function leadersSpread(client: Client): Promise<void> {
  for (let wait = 0; wait < 100; wait++) {
    const { groups, members } = await client.cluster.status();
    const led = members.map(({ node }) => groups.filter(({ leader }) => leader === node).length);
    const share = groups.length / members.length;
    if (led.every((count) => Math.abs(count - share) <= 1)) return;
    await sleep(200);
  }
  throw new Error('the leaders did not spread over the nodes');
}
