// The data directory of a node that does not run, opened without changing anything in it. LevelDB always writes
// when it opens, so it gets a directory of its own: the sorted tables, which it only reads, and the lock are
// links to the node's; the rest, at most a few megabytes, are copies. Through the lock a node that runs is noticed,
// and one cannot start meanwhile.

import { copyFile, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DeltabaseError } from '@deltabase/base';
import { openClassicStore, openLevelDisk } from '@deltabase/driver-level';
import { type DiskReader, runTask, type Task } from '@deltabase/engine';

/** Runs inspections on the data in a directory. */
export interface OfflineData {
  /** Runs one. Throws what it throws, and DATA_CORRUPT for damaged rows. */
  run<T>(inspect: (disk: DiskReader) => Task<T>): Promise<T>;
}

const STORE = 'store';
const TABLE = /\.(ldb|sst)$/;
const LOCK = 'LOCK';

/** Opens `dataDir` for `use`. Throws UNAVAILABLE while its node runs, INVALID_ARGUMENT if it has no node. */
export async function withOfflineData<T>(
  dataDir: string,
  use: (data: OfflineData) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'deltabase-'));
  try {
    await mirror(resolve(dataDir, STORE), scratch, dataDir);
    return await useStore(scratch, dataDir, use);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function mirror(from: string, to: string, dataDir: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(from);
  } catch (cause) {
    const why = `there is no node's data in ${dataDir}: name a directory given to deltabase start --data-dir`;
    throw new DeltabaseError('INVALID_ARGUMENT', why, { cause });
  }
  for (const name of names) {
    const isLinked = TABLE.test(name) || name === LOCK;
    await ifThere(
      isLinked
        ? symlink(join(from, name), join(to, name))
        : copyFile(join(from, name), join(to, name)),
    );
  }
}

/** What a running node removed meanwhile is missed: its lock is what tells. */
async function ifThere(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
}

async function useStore<T>(
  scratch: string,
  dataDir: string,
  use: (data: OfflineData) => Promise<T>,
): Promise<T> {
  const store = await openMirror(scratch, dataDir);
  let fail: (error: DeltabaseError) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const disk = await openLevelDisk(store, { fatal: fail, measureIntervalMs: 0 });
  const run = <R>(inspect: (reader: DiskReader) => Task<R>): Promise<R> =>
    Promise.race([
      failed,
      new Promise<R>((done, reject) =>
        runTask(inspect(disk), (step) => void setImmediate(step), done, reject),
      ),
    ]);
  try {
    return await use({ run });
  } finally {
    await disk.close();
  }
}

async function openMirror(scratch: string, dataDir: string) {
  try {
    return await openClassicStore(scratch);
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    const why =
      thrown.code === 'UNAVAILABLE'
        ? `the node of ${dataDir} runs: ask it with --address, or stop it first`
        : `the data in ${dataDir} cannot be read: ${thrown.message}`;
    throw new DeltabaseError(thrown.code, why, { cause: thrown });
  }
}
