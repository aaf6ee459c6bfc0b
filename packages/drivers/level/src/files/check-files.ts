// Reads all of a LevelDB before it is opened, because LevelDB believes what it finds and writes it on, with fresh
// checksums, when it compacts. Its logs are not looked at: LevelDB leaves damaged records out, and what is missing
// then is found by its number (batch-ring.ts, witness.ts).

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeltabaseError } from '@deltabase/base';
import { machineTrouble } from '../machine-trouble.js';
import { FormatError } from './cursor.js';
import { type Tables, tablesInUse } from './manifest.js';
import { checkTable } from './table.js';

/** What was read through. */
export interface CheckedFiles {
  readonly tables: number;
  readonly bytes: number;
}

const TABLE_OR_LOG = /^\d+\.(?:ldb|sst|log)$/;

/**
 * Checks the LevelDB in `directory`, which may be missing or empty. Throws DATA_CORRUPT if any of its files is not
 * as it was written. A table that is missing is for LevelDB to find: another process may be removing it.
 */
export async function checkFiles(directory: string): Promise<CheckedFiles> {
  const names = new Set(await unlessMissing(readdir(directory), []));
  const tables = await readTables(directory, names);
  let bytes = 0;
  for (const [number, size] of tables) {
    const name = [`${pad(number)}.ldb`, `${pad(number)}.sst`].find((known) => names.has(known));
    if (name === undefined) continue;
    await checkTableFile(join(directory, name), size);
    bytes += size;
  }
  return { tables: tables.size, bytes };
}

async function checkTableFile(path: string, size: number): Promise<void> {
  const file = await unlessMissing(readFile(path), undefined);
  if (file === undefined) return;
  if (file.length !== size) throw corrupt(path, `it has ${file.length} bytes, not ${size}`);
  checked(path, () => checkTable(file));
}

async function readTables(directory: string, names: ReadonlySet<string>): Promise<Tables> {
  const current = join(directory, 'CURRENT');
  if (!names.has('CURRENT')) {
    // LevelDB would make a new store in its place.
    if (![...names].some((name) => TABLE_OR_LOG.test(name))) return new Map();
    throw corrupt(current, 'it is missing, and other files of the store are there');
  }
  const name = (await unlessMissing(readFile(current, 'latin1'), '')).trimEnd();
  if (!names.has(name))
    throw corrupt(current, `it names ${JSON.stringify(name)}, which is missing`);
  const manifest = await unlessMissing(readFile(join(directory, name)), undefined);
  if (manifest === undefined) return new Map();
  return checked(join(directory, name), () => tablesInUse(manifest));
}

function pad(number: number): string {
  return String(number).padStart(6, '0');
}

function checked<T>(path: string, check: () => T): T {
  try {
    return check();
  } catch (thrown) {
    if (!(thrown instanceof FormatError)) throw thrown;
    throw corrupt(path, thrown.message, thrown);
  }
}

async function unlessMissing<T, U>(reading: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await reading;
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    if ('code' in thrown && thrown.code === 'ENOENT') return otherwise;
    const what = `the store cannot be read (${thrown.message})`;
    const trouble = machineTrouble('the store', thrown.message, thrown);
    throw trouble ?? new DeltabaseError('DATA_CORRUPT', what, { cause: thrown });
  }
}

function corrupt(path: string, what: string, cause?: unknown): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    `${path} is damaged: ${what}; never repair a voter's files; replace this node by a fresh one`,
    { cause },
  );
}
