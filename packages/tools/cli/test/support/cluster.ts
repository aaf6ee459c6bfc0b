// A real cluster for the commands of a test, on free ports, with data that is gone afterwards.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_COMMAND } from '@deltabase/server';
import { ProcessCluster } from '@deltabase/testkit';
import { Cli, type Loose, type RunOptions } from './cli.js';

/** The workspace's root. */
export const ROOT = fileURLToPath(new URL('../../../../../../', import.meta.url));

/** The module of an example machine, which `npm run build` makes. */
export function exampleModule(name: string): string {
  return join(ROOT, 'examples', name, 'build', 'machine.wasm');
}

/** The same machine in other bytes: with an empty custom section behind it. */
export async function otherModule(name: string): Promise<Uint8Array> {
  const custom = new Uint8Array([0, 2, 1, 0x78]);
  return Buffer.concat([await readFile(exampleModule(name)), custom]);
}

export interface TestCluster {
  readonly cluster: ProcessCluster;
  /** A folder for files of the test. */
  readonly folder: string;
  /** Commands that reach the cluster, with a folder of their own for temporary files. */
  readonly cli: Cli;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Waits until every node has committed an entry of a group. */
export async function committedEverywhere(cli: Cli, group: string, index: number): Promise<void> {
  for (;;) {
    const [{ nodes }] = await cli.json('status');
    const groups = nodes.map(({ status }: Loose) => status.groups[Number(group)]);
    if (groups.every(({ commitIndex }: Loose) => commitIndex >= index)) return;
  }
}

export interface TestClusterOptions extends RunOptions {
  readonly nodes?: number;
  readonly groups?: number;
  readonly flags?: Readonly<Record<string, string | number>>;
}

export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { nodes = 3, groups = 3, flags = {} } = options;
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-cli-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const cluster = await ProcessCluster.start({
      directory: folder,
      command: NODE_COMMAND,
      nodes,
      groups,
      flags,
    });
    const env = { DELTABASE_ADDRESS: cluster.addresses.join(',') };
    const stop = async (): Promise<void> => {
      await cluster.stop();
      await remove();
    };
    return { cluster, folder, cli: new Cli({ env }), env, stop };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}
