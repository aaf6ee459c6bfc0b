// Says how many batches the database has acknowledged, in a file beside it. Of a log that ends too early LevelDB
// thinks that the process died while it wrote there, so the loss of the newest batches cannot be seen in it. The number
// is written before a batch counts as durable, and not synced: it outlives the process, and after a power failure
// it may be behind, never ahead.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { DeltabaseError } from '@deltabase/base';
import { machineTrouble } from './machine-trouble.js';

/** Remembers the number of the last batch that was acknowledged. */
export interface Witness {
  /** The highest number that was written; 0: none. */
  readonly counter: number;
  write(counter: number): void;
  close(): void;
}

const VERSION = 1;
const BYTES = 16;

/** Opens the witness in `path`, or makes one. Throws DATA_CORRUPT if it is damaged, UNAVAILABLE if there is no room. */
export function openWitness(path: string): Witness {
  try {
    const counter = readWitness(path);
    if (counter === undefined) makeWitness(path);
    return new FileWitness(openSync(path, 'r+'), counter ?? 0);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw machineTrouble(path, reason, cause) ?? damaged(path, reason, cause);
  }
}

class FileWitness implements Witness {
  readonly #file: number;
  #counter: number;

  constructor(file: number, counter: number) {
    this.#file = file;
    this.#counter = counter;
  }

  get counter(): number {
    return this.#counter;
  }

  write(counter: number): void {
    // In its place, in one sector: it is never half a number.
    writeSync(this.#file, encode(counter), 0, BYTES, 0);
    this.#counter = counter;
  }

  close(): void {
    closeSync(this.#file);
  }
}

function readWitness(path: string): number | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
  const counter = bytes.length === BYTES ? bytes.readDoubleLE(4) : Number.NaN;
  if (Number.isSafeInteger(counter) && encode(counter).equals(bytes)) return counter;
  throw new Error('it fails its checksum');
}

/** Whole or not at all, also after a power failure. */
function makeWitness(path: string): void {
  const fresh = `${path}.new`;
  const file = openSync(fresh, 'w');
  writeSync(file, encode(0));
  fsyncSync(file);
  closeSync(file);
  renameSync(fresh, path);
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
}

/** Version (4 bytes), number (double), CRC-32 of both; little-endian. */
function encode(counter: number): Buffer {
  const bytes = Buffer.allocUnsafe(BYTES);
  bytes.writeUInt32LE(VERSION, 0);
  bytes.writeDoubleLE(counter, 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  return bytes;
}

function damaged(path: string, what: string, cause: unknown): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    `${path} cannot be used (${what}), and without it nobody knows what this node acknowledged: ` +
      'replace it by a fresh one',
    { cause },
  );
}
