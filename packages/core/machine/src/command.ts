// What one Raft entry of a group says: a batch of delta records (all of one turn), how messages ended that left
// no delta, or that a version of a machine is active from here on. Fixed framing around opaque record bytes, so that a copy can slice a
// record out of an entry without encoding it again. Version byte first; golden bytes in tests.

import { assert, DeltabaseError, decodeUtf8, encodeUtf8 } from '@deltabase/base';

/** A decoded entry. */
export type Command =
  | { readonly kind: 'deltas'; readonly records: readonly Uint8Array[] }
  | { readonly kind: 'outcomes'; readonly records: readonly Uint8Array[] }
  | { readonly kind: 'activate'; readonly space: string; readonly version: number };

const COMMAND_VERSION = 1;
const KIND_DELTAS = 1;
const KIND_ACTIVATE = 2;
const KIND_OUTCOMES = 3;
const HEADER_BYTES = 6;
const LENGTH_BYTES = 4;

/** Gathers the records of a turn into the bytes of one entry. Reused after `finish`. */
export class DeltasWriter {
  #buffer: Uint8Array;
  #at = HEADER_BYTES;
  #count = 0;

  constructor(bytes = 4096) {
    this.#buffer = new Uint8Array(bytes);
  }

  /** Records added since the last `finish`. */
  get count(): number {
    return this.#count;
  }

  /** Bytes the entry would have now. */
  get bytes(): number {
    return this.#at;
  }

  /** Copies one encoded record in. Returns its offset in the entry. */
  add(record: Uint8Array): number {
    this.#reserve(LENGTH_BYTES + record.length);
    writeUint32(this.#buffer, this.#at, record.length);
    const offset = this.#at + LENGTH_BYTES;
    this.#buffer.set(record, offset);
    this.#at = offset + record.length;
    this.#count++;
    return offset;
  }

  /** The entry's bytes, in a buffer of its own; the writer is empty afterwards. */
  finish(): Uint8Array {
    assert(this.#count > 0, 'an entry holds at least one record');
    this.#buffer[0] = COMMAND_VERSION;
    this.#buffer[1] = KIND_DELTAS;
    writeUint32(this.#buffer, 2, this.#count);
    const entry = this.#buffer.slice(0, this.#at);
    this.#at = HEADER_BYTES;
    this.#count = 0;
    return entry;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#at + bytes));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
}

/** The bytes of an entry with encoded outcome records. */
export function encodeOutcomes(records: readonly Uint8Array[]): Uint8Array {
  const writer = new DeltasWriter();
  for (const record of records) writer.add(record);
  const entry = writer.finish();
  entry[1] = KIND_OUTCOMES;
  return entry;
}

/** The bytes of an entry that makes `version` of the machine of `space` the active one. */
export function encodeActivate(space: string, version: number): Uint8Array {
  assert(version >= 1, 'versions are counted from 1');
  const name = encodeUtf8(space);
  const entry = new Uint8Array(HEADER_BYTES + name.length);
  entry[0] = COMMAND_VERSION;
  entry[1] = KIND_ACTIVATE;
  writeUint32(entry, 2, version);
  entry.set(name, HEADER_BYTES);
  return entry;
}

/** The command in an entry's bytes; record bytes share them. Throws DATA_CORRUPT if they are malformed. */
export function decodeCommand(entry: Uint8Array): Command {
  if (entry.length < HEADER_BYTES || entry[0] !== COMMAND_VERSION) throw malformed();
  if (entry[1] === KIND_DELTAS) return { kind: 'deltas', records: sliceRecords(entry) };
  if (entry[1] === KIND_OUTCOMES) return { kind: 'outcomes', records: sliceRecords(entry) };
  if (entry[1] !== KIND_ACTIVATE) throw malformed();
  const space = decodeUtf8(entry, HEADER_BYTES);
  if (space === undefined) throw malformed();
  return { kind: 'activate', space, version: readUint32(entry, 2) };
}

function sliceRecords(entry: Uint8Array): Uint8Array[] {
  const records = [];
  let at = HEADER_BYTES;
  for (let left = readUint32(entry, 2); left > 0; left--) {
    const start = at + LENGTH_BYTES;
    if (start > entry.length) throw malformed();
    at = start + readUint32(entry, at);
    if (at > entry.length) throw malformed();
    records.push(entry.subarray(start, at));
  }
  if (at !== entry.length) throw malformed();
  return records;
}

function malformed(): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    'a log entry has an unknown version or form: it may be of a newer release',
  );
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
