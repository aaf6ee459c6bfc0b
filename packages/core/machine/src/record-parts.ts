// The parts of a delta record that copies need: its head to keep it, which says whose it is and what its cause was
// answered; its step to fold it. They are read here straight from the entry, of every delta, without the objects that a
// whole record is made of.

import { decodeUtf8 } from '@deltabase/base';
import type { Patch } from '@deltabase/delta';
import { type KeptReply, SHORT_REPLY_BYTES } from './answer-row.js';
import { ByteReader, malformed } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { HEADER_BYTES } from './entry-form.js';
import { copyUnpacked, skipPatch, unpackOperations } from './packed-patch.js';
import {
  counted,
  type DeltaRecord,
  FLAG_REPLY,
  FLAG_SNAPSHOT,
  HERE,
  readFlags,
  readHash,
  readKey,
  readSeq,
  readShared,
  type SharedFields,
  skipHash,
  skipShared,
} from './record.js';

export interface RecordHead
  extends Pick<
    DeltaRecord,
    | 'space'
    | 'key'
    | 'seq'
    | 'session'
    | 'openedAt'
    | 'number'
    | 'settled'
    | 'time'
    | 'snapshotAdvised'
  > {
  /** Bytes have a buffer of their own. */
  readonly reply: KeptReply;
}

/** What folding a delta takes. */
export interface RecordStep extends Pick<DeltaRecord, 'seq' | 'hash' | 'snapshotAdvised'> {
  readonly patch: Patch;
}

/** Where the parts of a record in an entry are. */
export interface RecordLayout {
  /** Of its first byte. */
  readonly start: number;
  readonly sharedAt: number;
  readonly sharedEnd: number;
  readonly keyAt: number;
  readonly keyEnd: number;
  readonly bodyAt: number;
  readonly end: number;
}

/**
 * The head of the record at `offset` of an entry. Throws DATA_CORRUPT if there is none of a version known here; what it
 * does not read is only checked to be there.
 */
export function decodeHead(entry: Uint8Array, offset: number): RecordHead {
  const reader = READER;
  const start = begin(reader, entry, offset);
  const flags = readFlags(reader);
  const { space, session, openedAt } = readShareable(reader, start, knownShared, readShared);
  const key = readShareable(reader, start, knownKey, readKey);
  const seq = readSeq(reader);
  const number = reader.number();
  const settled = counted(number - reader.signed());
  const time = counted(openedAt + reader.signed());
  const reply = (flags & FLAG_REPLY) === 0 ? undefined : keptReply(reader);
  reader.skipBytes(); // payload
  reader.take(4); // seed
  skipPatch(reader);
  reader.number(); // fuel
  skipHash(reader);
  reader.finish();
  const snapshotAdvised = (flags & FLAG_SNAPSHOT) !== 0;
  return { space, key, seq, session, openedAt, number, settled, time, reply, snapshotAdvised };
}

/** The step of the record at `offset` of an entry. Throws as `decodeHead` and `unpackOperations` do. */
export function decodeStep(entry: Uint8Array, offset: number): RecordStep {
  const reader = READER;
  const start = begin(reader, entry, offset);
  const flags = readFlags(reader);
  if (placeOf(reader, start) === HERE) skipShared(reader);
  if (placeOf(reader, start) === HERE) reader.skipBytes(); // key
  const seq = skipToPatch(reader, flags);
  const patch = unpackOperations(reader);
  reader.number(); // fuel
  const hash = readHash(reader);
  reader.finish();
  return { seq, patch, hash, snapshotAdvised: (flags & FLAG_SNAPSHOT) !== 0 };
}

/** Where the parts of the record at `offset` of an entry are. Throws DATA_CORRUPT as `decodeHead` does. */
export function layoutOf(entry: Uint8Array, offset: number): RecordLayout {
  const reader = READER;
  const start = begin(reader, entry, offset);
  readFlags(reader);
  const shared = placeOf(reader, start);
  const behindShared = reader.at;
  if (shared !== HERE) reader.seek(shared);
  const sharedAt = reader.at;
  skipShared(reader);
  const sharedEnd = reader.at;
  if (shared !== HERE) reader.seek(behindShared);
  const key = placeOf(reader, start);
  const behindKey = reader.at;
  if (key !== HERE) reader.seek(key);
  const keyAt = reader.at;
  reader.skipBytes();
  const keyEnd = reader.at;
  if (key !== HERE) reader.seek(behindKey);
  return { start, sharedAt, sharedEnd, keyAt, keyEnd, bodyAt: reader.at, end: reader.end };
}

/** The record at `offset` of an entry by itself (`decodeRecord`). Throws DATA_CORRUPT as `decodeHead` does. */
export function recordAt(entry: Uint8Array, offset: number): Uint8Array {
  const { start, sharedAt, sharedEnd, keyAt, keyEnd, bodyAt, end } = layoutOf(entry, offset);
  const reader = READER;
  reader.begin(entry, bodyAt, end);
  skipToPatch(reader, entry[start]!);
  const patchAt = reader.at;
  const writer = whole;
  writer.rewind(0);
  writer.byte(entry[start]!);
  writer.byte(HERE);
  writer.copy(entry, sharedAt, sharedEnd);
  writer.byte(HERE);
  writer.copy(entry, keyAt, keyEnd);
  writer.copy(entry, bodyAt, patchAt);
  copyUnpacked(reader, writer);
  writer.copy(entry, reader.at, end);
  const record = writer.slice(0, writer.at);
  if (writer.buffer.length > WHOLE_BYTES_KEPT) whole = new ByteWriter(4096);
  return record;
}

/** Where records are made whole. */
let whole = new ByteWriter(4096);
const WHOLE_BYTES_KEPT = 65_536;

/** Bytes of the record at `offset` of an entry. */
export function recordLength(entry: Uint8Array, offset: number): number {
  const start = begin(READER, entry, offset);
  return READER.end - start;
}

const READER = new ByteReader();

/** What was read at a place of an entry. */
interface Known<T> {
  entry: Uint8Array | undefined;
  at: number;
  value: T | undefined;
}

/** Entries are never changed: what was read last need not be made anew for the next record that names its place. */
const knownShared: Known<SharedFields> = { entry: undefined, at: 0, value: undefined };
const knownKey: Known<string> = { entry: undefined, at: 0, value: undefined };

/** Begins to read the record at `offset`; returns where its first byte is. */
function begin(reader: ByteReader, entry: Uint8Array, offset: number): number {
  reader.begin(entry, offset, entry.length);
  const length = reader.number();
  const start = reader.at;
  reader.begin(entry, start, start + length);
  return start;
}

/** A place in the entry, before this record, or HERE. */
function placeOf(reader: ByteReader, start: number): number {
  const place = reader.number();
  if (place !== HERE && (place < HEADER_BYTES || place >= start)) throw malformed();
  return place;
}

/** What follows, or stands at the place that is named instead. */
function readShareable<T>(
  reader: ByteReader,
  start: number,
  known: Known<T>,
  read: (reader: ByteReader) => T,
): T {
  const place = placeOf(reader, start);
  if (place !== HERE && known.entry === reader.bytes && known.at === place) return known.value!;
  const back = reader.at;
  const at = place === HERE ? back : place;
  reader.seek(at);
  const value = read(reader);
  if (place !== HERE) reader.seek(back);
  known.entry = reader.bytes;
  known.at = at;
  known.value = value;
  return value;
}

/** Goes on at the patch from where the body begins; returns the seq. */
function skipToPatch(reader: ByteReader, flags: number): number {
  const seq = readSeq(reader);
  reader.number(); // number
  reader.signed(); // settled
  reader.signed(); // time
  if ((flags & FLAG_REPLY) !== 0) reader.skipBytes();
  reader.skipBytes(); // payload
  reader.take(4); // seed
  return seq;
}

/** A short one as text, another one as a copy. */
function keptReply(reader: ByteReader): KeptReply {
  const start = reader.skipBytes();
  const length = reader.at - start;
  const isShort = length <= SHORT_REPLY_BYTES;
  const text = isShort ? decodeUtf8(reader.bytes, start, reader.at) : undefined;
  return text ?? new Uint8Array(reader.bytes.subarray(start, reader.at));
}
