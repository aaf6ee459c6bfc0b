// What the cluster programs share: a folder that is gone afterwards, a cluster in it, example machines.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '@deltabase/client';
import { NODE_COMMAND } from '@deltabase/server';
import { ProcessCluster, type ProcessClusterOptions } from '@deltabase/testkit';
import { ROOT } from './workspace.js';

type ClusterOptions = Omit<ProcessClusterOptions, 'directory' | 'command'>;

/** Runs `use` with a folder that is gone afterwards, however it ends. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs `use` with a cluster whose processes and data are gone afterwards, however it ends. */
export function withCluster<T>(
  options: ClusterOptions,
  use: (cluster: ProcessCluster) => Promise<T>,
): Promise<T> {
  return withFolder((directory) => withClusterIn(directory, options, use));
}

/** Runs `use` with a cluster that has its data in `directory`; its processes are gone afterwards. */
export async function withClusterIn<T>(
  directory: string,
  options: ClusterOptions,
  use: (cluster: ProcessCluster) => Promise<T>,
): Promise<T> {
  const cluster = await ProcessCluster.create({ ...options, directory, command: NODE_COMMAND });
  try {
    await Promise.all(cluster.nodes.map((node) => node.start()));
    return await use(cluster);
  } finally {
    await cluster.stop();
  }
}

/** The module of an example machine, which `npm run build` makes. */
export function exampleModule(name: string): Promise<Uint8Array> {
  return readFile(join(ROOT, 'examples', name, 'build', 'machine.wasm'));
}

/** A client of a cluster that has an example machine, in a space of the same name. */
export async function connectAndDeploy(addresses: string[], example: string): Promise<Client> {
  const client = await connect({ addresses });
  try {
    await client.machines.deploy(example, await exampleModule(example));
    return client;
  } catch (thrown) {
    await client.close({ abandon: true });
    throw thrown;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `is` holds; rejects with `what` after `limitMs`. */
export async function until(
  what: string,
  is: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await is())) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(20);
  }
}

/** `work`, or a rejection with `what` after `limitMs`. */
export async function within<T>(what: string, work: Promise<T>, limitMs = 30_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
