// What one Raft entry of a group says: a batch of delta records (all of one turn), how messages ended that left
// no delta, or that a version of a machine is active from here on. Fixed framing around opaque record bytes,
// so that a copy can slice a record out of an entry without encoding it again. Version byte first; golden
// bytes in tests.

import { assert, DeltabaseError, decodeUtf8, encodeUtf8 } from '@deltabase/base';
import { PackWriter } from './pack-writer.js';
import { type DeltaRecord, writeRecord } from './record.js';

/** A decoded entry. `offsets` says where its records are: see `recordAt`. */
export type Command =
  | { readonly kind: 'deltas'; readonly offsets: readonly number[] }
  | { readonly kind: 'outcomes'; readonly offsets: readonly number[] }
  | { readonly kind: 'activate'; readonly space: string; readonly version: number };

const COMMAND_VERSION = 1;
const KIND_DELTAS = 1;
const KIND_ACTIVATE = 2;
const KIND_OUTCOMES = 3;
const HEADER_BYTES = 6;
const LENGTH_BYTES = 4;

/** Gathers records into the bytes of one entry. Reused after `finish`. */
export class DeltasWriter {
  readonly #writer: PackWriter;
  #count = 0;

  constructor(bytes = 4096) {
    this.#writer = new PackWriter(bytes);
    this.#begin();
  }

  /** Records added since the last `finish`. */
  get count(): number {
    return this.#count;
  }

  /** Bytes the entry would have now. */
  get bytes(): number {
    return this.#writer.at;
  }

  /** Encodes one record into the entry. Returns its offset there; its length stands in front of it. */
  add(record: DeltaRecord): number {
    const writer = this.#writer;
    writer.skip(LENGTH_BYTES);
    const offset = writer.at;
    writeRecord(writer, record);
    writeUint32(writer.buffer, offset - LENGTH_BYTES, writer.at - offset);
    this.#count++;
    return offset;
  }

  /** Copies the record at `offset` of another entry. */
  copy(entry: Uint8Array, offset: number): void {
    this.#writer.copy(entry, offset - LENGTH_BYTES, offset + recordLength(entry, offset));
    this.#count++;
  }

  /** The entry's bytes, in a buffer of its own; the writer is empty afterwards. */
  finish(): Uint8Array {
    assert(this.#count > 0, 'an entry holds at least one record');
    const writer = this.#writer;
    writeHeader(writer.buffer, KIND_DELTAS, this.#count);
    const entry = writer.slice(0, writer.at);
    this.#begin();
    return entry;
  }

  #begin(): void {
    this.#count = 0;
    this.#writer.rewind();
    this.#writer.skip(HEADER_BYTES);
  }
}

/** The bytes of an entry with encoded outcome records, one at least. */
export function encodeOutcomes(records: readonly Uint8Array[]): Uint8Array {
  assert(records.length > 0, 'an entry holds at least one record');
  const bytes = records.reduce((sum, record) => sum + LENGTH_BYTES + record.length, HEADER_BYTES);
  const entry = new Uint8Array(bytes);
  writeHeader(entry, KIND_OUTCOMES, records.length);
  let at = HEADER_BYTES;
  for (const record of records) {
    writeUint32(entry, at, record.length);
    entry.set(record, at + LENGTH_BYTES);
    at += LENGTH_BYTES + record.length;
  }
  return entry;
}

/** Bytes of the record at `offset` of an entry. */
export function recordLength(entry: Uint8Array, offset: number): number {
  return readUint32(entry, offset - LENGTH_BYTES);
}

/** The record at `offset` of an entry; it shares the entry's buffer. */
export function recordAt(entry: Uint8Array, offset: number): Uint8Array {
  return entry.subarray(offset, offset + recordLength(entry, offset));
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

/** The command in an entry's bytes. Throws DATA_CORRUPT if they are malformed. */
export function decodeCommand(entry: Uint8Array): Command {
  if (entry.length < HEADER_BYTES || entry[0] !== COMMAND_VERSION) throw malformed();
  if (entry[1] === KIND_DELTAS) return { kind: 'deltas', offsets: offsetsOf(entry) };
  if (entry[1] === KIND_OUTCOMES) return { kind: 'outcomes', offsets: offsetsOf(entry) };
  if (entry[1] !== KIND_ACTIVATE) throw malformed();
  const space = decodeUtf8(entry, HEADER_BYTES);
  if (space === undefined) throw malformed();
  return { kind: 'activate', space, version: readUint32(entry, 2) };
}

function offsetsOf(entry: Uint8Array): number[] {
  const offsets = [];
  let at = HEADER_BYTES;
  for (let left = readUint32(entry, 2); left > 0; left--) {
    const offset = at + LENGTH_BYTES;
    if (offset > entry.length) throw malformed();
    at = offset + readUint32(entry, at);
    if (at > entry.length) throw malformed();
    offsets.push(offset);
  }
  if (at !== entry.length) throw malformed();
  return offsets;
}

function writeHeader(entry: Uint8Array, kind: number, count: number): void {
  entry[0] = COMMAND_VERSION;
  entry[1] = kind;
  writeUint32(entry, 2, count);
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
