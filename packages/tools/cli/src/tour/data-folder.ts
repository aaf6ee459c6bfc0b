// The folder with the data and logs of all nodes, and which processes work with it: a file in it names them, so that
// a later start can wait for nodes of one that crashed, and tell of one that runs. The file only explains. What
// keeps two processes off the same data is the lock of each node's store.

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeltabaseError } from '@deltabase/base';
import { makeDirectory } from '@deltabase/driver-level';
import { addressesFrom, blockedPorts } from './addresses.js';

export interface RunRecord {
  /** The process of `npm start`. */
  readonly pid: number;
  readonly port: number;
  /** The processes of the nodes. */
  readonly nodes: readonly number[];
}

const FILE = 'run.json';
/** Nodes whose `npm start` is gone stop by themselves; they get more than a handover takes. */
const END_MS = 15_000;
/** Processes that hold no port for so long are others, with the numbers of ours. */
const STRANGER_MS = 3000;
const POLL_MS = 100;

/** Makes the folder if it is missing. Throws INVALID_ARGUMENT where it cannot be made. */
export async function makeDataFolder(data: string): Promise<void> {
  try {
    await makeDirectory(data);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const why = `the folder ${data} cannot be made (${reason}): choose another one with --data`;
    throw new DeltabaseError('INVALID_ARGUMENT', why, { cause });
  }
}

export async function writeRunRecord(data: string, record: RunRecord): Promise<void> {
  await writeFile(join(data, FILE), `${JSON.stringify(record)}\n`);
}

export async function removeRunRecord(data: string): Promise<void> {
  await rm(join(data, FILE), { force: true });
}

/**
 * Waits until the nodes of an earlier start with this folder are gone; calls `waiting` once if it has to.
 * Throws UNAVAILABLE if that start still runs, or if they do not go.
 */
export async function awaitEarlierRun(data: string, waiting: () => void): Promise<void> {
  const record = await readRunRecord(data);
  if (record === undefined) return;
  const startMs = performance.now();
  for (let isFirst = true; ; isFirst = false) {
    const living = record.nodes.filter(isAlive);
    if (living.length === 0) return;
    const holdsPorts = (await blockedPorts(record.port)).length > 0;
    if (holdsPorts && isAlive(record.pid)) throw runsAlready(record);
    const waitedMs = performance.now() - startMs;
    if (!holdsPorts && waitedMs > STRANGER_MS) return;
    if (waitedMs > END_MS) throw doNotEnd(living);
    if (isFirst) waiting();
    await sleep(POLL_MS);
  }
}

/** `undefined` where there is none, or one that was cut off while it was written. */
async function readRunRecord(data: string): Promise<RunRecord | undefined> {
  let text: string;
  try {
    text = await readFile(join(data, FILE), 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  try {
    const { pid, port, nodes } = JSON.parse(text) as RunRecord;
    return [pid, port, ...nodes].every(Number.isSafeInteger) ? { pid, port, nodes } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process of this user has the number. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function runsAlready({ pid, port }: RunRecord): DeltabaseError {
  const [first] = addressesFrom(port);
  return new DeltabaseError(
    'UNAVAILABLE',
    `npm start runs already with this data (process ${pid}, first node at ${first!.client}): use that one, stop ` +
      'it with Ctrl-C, or start another one with npm start -- --data DIRECTORY --port PORT',
  );
}

function doNotEnd(living: readonly number[]): DeltabaseError {
  const why =
    `nodes of an earlier start do not end (processes ${living.join(', ')}): ` +
    `end them with kill -9 ${living.join(' ')}`;
  return new DeltabaseError('UNAVAILABLE', why);
}
