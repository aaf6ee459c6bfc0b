// What the cluster programs share: a folder that is gone afterwards, the program of a node, example machines.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '@deltabase/client';
import { ProcessCluster, type ProcessClusterOptions } from '@deltabase/testkit';
import { ROOT } from './workspace.js';

/** The compiled program of a node. */
export const NODE_PROGRAM = join(ROOT, 'packages/server/dist/src/main.js');

/** Runs `use` with a cluster whose processes and data are gone afterwards, however it ends. */
export async function withCluster<T>(
  options: Omit<ProcessClusterOptions, 'directory' | 'program'>,
  use: (cluster: ProcessCluster) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'deltabase-'));
  let cluster: ProcessCluster | undefined;
  try {
    cluster = await ProcessCluster.start({ ...options, directory, program: NODE_PROGRAM });
    return await use(cluster);
  } finally {
    await cluster?.stop();
    await rm(directory, { recursive: true, force: true });
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
