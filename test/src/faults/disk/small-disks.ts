// A small file system for each node of a cluster: an ext4 image on a loop device, which is as full as it says. They are
// mounted where only this cluster's processes see them (namespace.ts), and gone when those end.

import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Launch } from '@deltabase/testkit';
import { withFolder } from '../../scratch.js';
import { missingPrograms, Namespace, runCommand, whyNot } from '../namespace.js';

const PROGRAMS = ['unshare', 'nsenter', 'setpriv', 'mount', 'umount', 'mkfs.ext4', 'fallocate'];
const FILLER = 'filler';
const TRIAL_BYTES = 8 * 1024 * 1024;

export interface SmallDisksOptions {
  /** Where nodes have their folders, as ProcessCluster makes them. */
  readonly directory: string;
  readonly nodes: readonly number[];
  readonly bytes: number;
}

export class SmallDisks {
  readonly #namespace: Namespace;
  readonly #directory: string;

  /** Why there can be none on this machine; `undefined`: there can. */
  static async unavailable(): Promise<string | undefined> {
    if (process.platform !== 'linux') return 'it is not Linux';
    const missing = await missingPrograms(PROGRAMS);
    if (missing.length > 0) return `it has no ${missing.join(', ')}`;
    if (process.getuid!() !== 0) return 'only root may mount file systems, and this is not root';
    return await whyNot('file system can be mounted', async () => {
      await withFolder(async (directory) => {
        const disks = await SmallDisks.open({ directory, nodes: [1], bytes: TRIAL_BYTES });
        await disks.close();
      });
    });
  }

  static async open({ directory, nodes, bytes }: SmallDisksOptions): Promise<SmallDisks> {
    const namespace = await Namespace.open('mount');
    try {
      for (const node of nodes) await mountImage(namespace, join(directory, nameOf(node)), bytes);
      return new SmallDisks(namespace, directory);
    } catch (thrown) {
      await namespace.close();
      throw thrown;
    }
  }

  private constructor(namespace: Namespace, directory: string) {
    this.#namespace = namespace;
    this.#directory = directory;
  }

  /** For ProcessCluster: a node runs where its disk is. */
  readonly launch = (): Launch => ({ wrapper: this.#namespace.wrapper });

  async freeBytes(node: number): Promise<number> {
    const { bavail, bsize } = await statfs(this.#seen(node));
    return bavail * bsize;
  }

  /** Another file takes all but so many bytes of a node's disk; its node may take some of these at the same time. */
  async fill(node: number, leftBytes: number): Promise<void> {
    await this.empty(node);
    const bytes = (await this.freeBytes(node)) - leftBytes;
    if (bytes <= 0) return;
    const path = join(this.#seen(node), FILLER);
    try {
      await runCommand(['fallocate', '--length', String(bytes), path]);
    } catch (thrown) {
      // What there was it has got.
      if ((await this.freeBytes(node)) > leftBytes) throw thrown;
    }
  }

  /** The other file is gone. */
  async empty(node: number): Promise<void> {
    await rm(join(this.#seen(node), FILLER), { force: true });
  }

  async close(): Promise<void> {
    await this.#namespace.close();
  }

  #seen(node: number): string {
    return this.#namespace.seen(join(this.#directory, nameOf(node)));
  }
}

/** As ProcessCluster calls a node's folder. */
function nameOf(node: number): string {
  return `node-${node}`;
}

async function mountImage(namespace: Namespace, folder: string, bytes: number): Promise<void> {
  const image = `${folder}.ext4`;
  await mkdir(folder, { recursive: true });
  const file = await open(image, 'wx');
  await file.truncate(bytes);
  await file.close();
  await runCommand(['mkfs.ext4', '-q', '-m', '0', image]);
  await namespace.run('mount', ['-o', 'loop', image, folder]);
  // The mount holds it as long as it needs it.
  await rm(image);
}
