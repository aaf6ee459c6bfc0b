// Clusters for benchmarks: three real nodes on loopback, and what the operating system (Linux) says of them.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '@deltabase/client';
import { NODE_COMMAND } from '@deltabase/server';
import { ProcessCluster, type ProcessClusterOptions } from '@deltabase/testkit';

/** The workspace's root. */
export const ROOT = new URL('../../../', import.meta.url).pathname;

export interface BenchCluster {
  readonly cluster: ProcessCluster;
  readonly client: Client;
}

type Options = Omit<ProcessClusterOptions, 'directory' | 'command'>;

/** Runs `use` with a cluster whose leaders are spread, and a client of it; nothing of them stays. */
export function withBenchCluster<T>(
  options: Options,
  use: (bench: BenchCluster) => Promise<T>,
): Promise<T> {
  return withProcesses(options, async (cluster) => {
    await Promise.all(cluster.nodes.map((node) => node.start()));
    return withClient(cluster, async (client) => {
      await leadersSpread(client);
      return use({ cluster, client });
    });
  });
}

/** Runs `use` with a cluster of which nothing runs yet; nothing of it stays. */
export async function withProcesses<T>(
  options: Options,
  use: (cluster: ProcessCluster) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'deltabase-bench-'));
  let cluster: ProcessCluster | undefined;
  try {
    cluster = await ProcessCluster.create({ ...options, directory, command: NODE_COMMAND });
    return await use(cluster);
  } finally {
    await cluster?.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs `use` with a client of a cluster that runs. */
export async function withClient<T>(
  { addresses }: ProcessCluster,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect({ addresses });
  try {
    return await use(client);
  } finally {
    await client.close({ abandon: true });
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

/** CPU time that all threads of a process have used, seconds. */
export async function cpuSeconds(pid: number): Promise<number> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const used = await Promise.all(tasks.map((task) => taskNanoseconds(pid, task)));
  return used.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e9;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function taskNanoseconds(pid: number, task: string): Promise<number> {
  const schedule = await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8');
  return Number(schedule.split(' ')[0]);
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
