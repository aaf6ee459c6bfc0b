// The data directory of a node that does not run, opened without changing anything in it. LevelDB always writes
// when it opens, so it gets a directory of its own: the lock and the sorted tables, of which it only reads the
// older ones, are links to the node's; the rest, some megabytes, are copies. Through the lock a node that runs is
// noticed, and one cannot start meanwhile.

import { rmSync } from 'node:fs';
import { access, constants, copyFile, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DeltabaseError } from '@deltabase/base';
import {
  checkFiles,
  openClassicStore,
  openLevelDisk,
  openWitness,
  STORE_FOLDER,
  WITNESS_FILE,
} from '@deltabase/driver-level';
import { type DiskReader, runTask, type Task } from '@deltabase/engine';

/** Runs inspections on the data in a directory. */
export interface OfflineData {
  /** Runs one. Throws what it throws, and DATA_CORRUPT for damaged rows. */
  run<T>(inspect: (disk: DiskReader) => Task<T>): Promise<T>;
  /** The rows, for work that has more to do than read them. */
  readonly reader: DiskReader;
  /** That work: throws what it throws, and what `run` would for what it reads here. */
  guard<T>(work: Promise<T>): Promise<T>;
}

const TABLE = /^(\d+)\.(?:ldb|sst)$/;
const LOG_FILE = /^(\d+)\.log$/;
const LOCK = 'LOCK';

export interface OfflineOptions {
  readonly signal: AbortSignal;
  /** Whether to check all that a node checks before it starts: what is only looked at may be a little damaged. */
  readonly isStrict?: boolean;
}

/**
 * Opens `dataDir` for `use`. Throws UNAVAILABLE while its node runs, INVALID_ARGUMENT if it has no node,
 * CANCELLED once `signal` is aborted.
 */
export async function withOfflineData<T>(
  dataDir: string,
  { signal, isStrict = false }: OfflineOptions,
  use: (data: OfflineData) => Promise<T>,
): Promise<T> {
  const store = resolve(dataDir, STORE_FOLDER);
  const names = await storeFiles(dataDir);
  if (isStrict) await checkFiles(store);
  const scratch = await mkdtemp(join(tmpdir(), 'deltabase-'));
  const removeAtOnce = (): void => rmSync(scratch, { recursive: true, force: true });
  process.once('exit', removeAtOnce);
  try {
    await mirror(store, scratch, names);
    await checkLock(scratch, dataDir);
    if (isStrict) await ifThere(copyFile(join(dataDir, WITNESS_FILE), join(scratch, WITNESS_FILE)));
    return await useStore(scratch, { dataDir, signal, isStrict }, use);
  } finally {
    await rm(scratch, { recursive: true, force: true });
    process.off('exit', removeAtOnce);
  }
}

/** The files of the store in a data directory. Throws INVALID_ARGUMENT if there is none. */
export async function storeFiles(dataDir: string): Promise<string[]> {
  const store = resolve(dataDir, STORE_FOLDER);
  let names: string[] = [];
  let cause: NodeJS.ErrnoException | undefined;
  try {
    names = await readdir(store);
  } catch (thrown) {
    cause = thrown as NodeJS.ErrnoException;
  }
  // LevelDB would make a store where there is none.
  if (names.includes('CURRENT')) return names;
  const isMissing = cause === undefined || cause.code === 'ENOENT' || cause.code === 'ENOTDIR';
  const why = isMissing
    ? `there is no node's data in ${dataDir}: name a directory that a node was started with`
    : `the data in ${dataDir} cannot be read: ${cause?.message}`;
  throw new DeltabaseError('INVALID_ARGUMENT', why, { cause });
}

async function mirror(from: string, to: string, names: readonly string[]): Promise<void> {
  const oldestLog = Math.min(...names.map((name) => Number(LOG_FILE.exec(name)?.[1] ?? Infinity)));
  for (const name of names) {
    const [source, target] = [join(from, name), join(to, name)];
    const isLinked = name === LOCK || isOlderTable(name, oldestLog);
    await ifThere(
      isLinked ? symlink(source, target) : copyFile(source, target, constants.COPYFILE_FICLONE),
    );
  }
}

/** Throws INVALID_ARGUMENT unless this process may take the node's lock, which takes permission to write. */
async function checkLock(scratch: string, dataDir: string): Promise<void> {
  try {
    await access(join(scratch, LOCK), constants.W_OK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    const why = `the data in ${dataDir} cannot be locked: be the user of its node, or read a copy of it`;
    throw new DeltabaseError('INVALID_ARGUMENT', why, { cause });
  }
}

/**
 * Whether a file is a table that LevelDB does not write over. What it writes when it opens gets numbers above
 * that of the oldest log it still needs; a table with such a number may be the leaving of a crash, and a link
 * would lead it to the node's own file.
 */
function isOlderTable(name: string, oldestLog: number): boolean {
  const number = TABLE.exec(name)?.[1];
  return number !== undefined && oldestLog !== Infinity && Number(number) < oldestLog;
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
  { dataDir, signal, isStrict }: Required<OfflineOptions> & { readonly dataDir: string },
  use: (data: OfflineData) => Promise<T>,
): Promise<T> {
  const store = await openMirror(scratch, dataDir);
  let fail: (error: DeltabaseError) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const interrupt = (): void => fail(new DeltabaseError('CANCELLED', 'interrupted'));
  signal.addEventListener('abort', interrupt);
  if (signal.aborted) interrupt();
  try {
    const witness = isStrict ? openWitness(join(scratch, WITNESS_FILE)) : undefined;
    const options = { fatal: fail, measureIntervalMs: 0, ...(witness && { witness }) };
    const disk = await openLevelDisk(store, options).finally(() => witness?.close());
    const guard = <R>(work: Promise<R>): Promise<R> => Promise.race([failed, work]);
    const run = <R>(inspect: (reader: DiskReader) => Task<R>): Promise<R> =>
      guard(runToEnd(inspect(disk)));
    return await use({ run, reader: disk, guard });
  } finally {
    signal.removeEventListener('abort', interrupt);
    await new Promise<void>((resolve, close) => store.close(resolve, close));
  }
}

/** Runs a task, a step at a time. */
export function runToEnd<T>(task: Task<T>): Promise<T> {
  return new Promise((done, failed) =>
    runTask(task, (step) => void setImmediate(step), done, failed),
  );
}

async function openMirror(scratch: string, dataDir: string) {
  try {
    return await openClassicStore(scratch);
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    const why =
      thrown.code === 'UNAVAILABLE'
        ? `the data in ${dataDir} is in use: ask its node with --address, or stop it first`
        : thrown.message.replaceAll(scratch, join(dataDir, STORE_FOLDER));
    throw new DeltabaseError(thrown.code, why, { cause: thrown });
  }
}
