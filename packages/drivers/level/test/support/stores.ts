// Stores on real files, for tests that look at them or damage them.

import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiskOperation } from '@deltabase/engine';
import { type LevelDisk, openClassicStore, openLevelDisk, openWitness } from '../../src/index.js';

/** Runs `use` with a folder that is gone afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-level-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const storeIn = (folder: string): string => join(folder, 'store');
export const witnessIn = (folder: string): string => join(folder, 'acknowledged');

/** Opens a disk as a node does, but for the check of its files. */
export async function openDisk(folder: string): Promise<LevelDisk> {
  const store = await openClassicStore(storeIn(folder));
  try {
    const witness = openWitness(witnessIn(folder));
    return await openLevelDisk(store, {
      fatal: (error) => {
        throw error;
      },
      witness,
      measureIntervalMs: 0,
    });
  } catch (thrown) {
    await new Promise<void>((resolve, reject) => store.close(resolve, reject));
    throw thrown;
  }
}

export function key(n: number): Uint8Array {
  return Uint8Array.of(0x40, n >>> 8, n & 255);
}

export function put(n: number, value = `value ${n}`): DiskOperation {
  return { kind: 'put', key: key(n), value: Buffer.from(value) };
}

export function write(disk: LevelDisk, ...batch: DiskOperation[]): Promise<void> {
  return new Promise((resolve) => disk.write(batch, resolve));
}

/** A store of `count` rows, of which about half are in tables and the others in a log. */
export async function makeStore(folder: string, count: number): Promise<void> {
  for (const half of [0, 1]) {
    const disk = await openDisk(folder);
    for (let n = 0; n < count / 2; n++) await write(disk, put(n + (half * count) / 2));
    await disk.close();
  }
}

/** The only file of the store whose name ends so. */
export async function fileOf(folder: string, ending: string | RegExp): Promise<string> {
  const names = await readdir(storeIn(folder));
  const found = names.filter((name) => name.match(ending) !== null);
  if (found.length !== 1) throw new Error(`${found.length} of ${names.join(', ')} match ${ending}`);
  return join(storeIn(folder), found[0]!);
}

export async function copyOf(folder: string, copy: string): Promise<void> {
  await cp(folder, copy, { recursive: true });
}

/** Its bytes with one bit turned over. */
export function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >>> 3]! ^= 1 << (bit & 7);
  return copy;
}
