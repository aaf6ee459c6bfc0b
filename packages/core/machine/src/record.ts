// Delta record, version 2: the delta of one message to one document, with its cause (docs/wire-formats.md; golden bytes in
// tests). It is encoded once, by the leader; the Raft log, the document's history and every copy hold it. What the records
// of an entry have in common is written once there (deltas-writer.ts); by itself a record holds all of it, and its patch
// as text. record-parts.ts reads what copies need.

import { assert } from '@deltabase/base';
import { ByteReader, malformed } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { unpackPatch, writeWholePatch } from './packed-patch.js';

/** What records of one entry often have in common. */
export interface SharedFields {
  readonly space: string;
  readonly session: string;
  readonly openedAt: number;
  readonly principal: string;
  readonly channel: string;
  /** The version of the space's machine that ran, from 1; 0 for the system space. */
  readonly version: number;
}

/** What one message did to one document. */
export interface DeltaRecord extends SharedFields {
  readonly key: string;
  /** The document's seq after this delta; the first is 1. */
  readonly seq: number;
  /** The cause: message id (session, number), principal, channel, payload. */
  readonly number: number;
  readonly settled: number;
  /** Those of a decoded record share its buffer, and so do patch and reply. */
  readonly payload: Uint8Array;
  /** Milliseconds since 1970 by the leader's clock, never less than the group's delta before. */
  readonly time: number;
  /** What the guest's random numbers came from: 32 bits. */
  readonly seed: number;
  /** RFC 6902 list as canonical JSON. */
  readonly patch: Uint8Array;
  readonly reply: Uint8Array | undefined;
  /** Messages to other documents and timers: reserved, always empty in version 2. */
  readonly effects: readonly never[];
  readonly fuel: number;
  /** The document's rolling hash after this delta: 16 hexadecimal digits. */
  readonly hash: string;
  /** The leader's advice to every copy to store a snapshot at this seq when it next flushes. */
  readonly snapshotAdvised: boolean;
}

/** In the upper half of a record's first byte; flags are in the lower. */
const RECORD_VERSION = 2;
export const FLAG_SNAPSHOT = 1;
export const FLAG_REPLY = 2;
/** In place of the place of something that records share: it follows. */
export const HERE = 0;
const FLAGS = FLAG_SNAPSHOT | FLAG_REPLY;
const HASH_BYTES = 8;

/** Writes what stands in front of all else. */
export function writeForm(writer: ByteWriter, { reply, snapshotAdvised }: DeltaRecord): void {
  const flags = (snapshotAdvised ? FLAG_SNAPSHOT : 0) | (reply === undefined ? 0 : FLAG_REPLY);
  writer.byte((RECORD_VERSION << 4) | flags);
}

export function writeShared(writer: ByteWriter, shared: SharedFields): void {
  writer.text(shared.space);
  writer.text(shared.session);
  writer.number(shared.openedAt);
  writer.text(shared.principal);
  writer.text(shared.channel);
  writer.number(shared.version);
}

/** Writes what stands behind the shared fields and the key; `writePatch` the patch. */
export function writeBody(
  writer: ByteWriter,
  record: DeltaRecord,
  writePatch: (writer: ByteWriter, patch: Uint8Array) => void,
): void {
  assert(record.seq >= 1, 'a delta makes seq 1 or more');
  assert(record.effects.length === 0, 'effects are reserved');
  writer.number(record.seq);
  writer.number(record.number);
  writer.signed(record.number - record.settled);
  writer.signed(record.time - record.openedAt);
  if (record.reply !== undefined) writer.bytes(record.reply);
  writer.bytes(record.payload);
  writer.fixed32(record.seed);
  writePatch(writer, record.patch);
  writer.number(record.fuel);
  writeHash(writer, record.hash);
}

/** The flags in a record's first byte. Throws DATA_CORRUPT for another version. */
export function readFlags(reader: ByteReader): number {
  const form = reader.byte();
  const flags = form & 0x0f;
  if (form >>> 4 !== RECORD_VERSION || (flags & ~FLAGS) !== 0) throw malformed();
  return flags;
}

export function readShared(reader: ByteReader): SharedFields {
  const space = reader.knownText();
  const session = reader.knownText();
  const openedAt = reader.number();
  const principal = reader.knownText();
  const channel = reader.knownText();
  return { space, session, openedAt, principal, channel, version: reader.number() };
}

export function readKey(reader: ByteReader): string {
  return reader.text();
}

export function skipShared(reader: ByteReader): void {
  reader.skipBytes(); // space
  reader.skipBytes(); // session
  reader.number(); // opened at
  reader.skipBytes(); // principal
  reader.skipBytes(); // channel
  reader.number(); // version
}

/** The bytes of the record by itself, in a buffer of their own: what `recordAt` gives. */
export function encodeRecord(record: DeltaRecord): Uint8Array {
  const writer = new ByteWriter(1024);
  writeForm(writer, record);
  writer.byte(HERE);
  writeShared(writer, record);
  writer.byte(HERE);
  writer.text(record.key);
  writeBody(writer, record, writeWholePatch);
  return writer.slice(0, writer.at);
}

const READER = new ByteReader();

/** The record in `bytes` (`recordAt`). Throws DATA_CORRUPT if they are not one record of a version known here. */
export function decodeRecord(bytes: Uint8Array): DeltaRecord {
  const reader = READER;
  reader.begin(bytes, 0, bytes.length);
  const flags = readFlags(reader);
  expectHere(reader);
  const { space, session, openedAt, principal, channel, version } = readShared(reader);
  expectHere(reader);
  const key = readKey(reader);
  const seq = readSeq(reader);
  const number = reader.number();
  const settled = counted(number - reader.signed());
  const time = counted(openedAt + reader.signed());
  const reply = (flags & FLAG_REPLY) === 0 ? undefined : reader.view();
  const payload = reader.view();
  const seed = reader.fixed32();
  const patch = unpackPatch(reader);
  const fuel = reader.number();
  const hash = readHash(reader);
  reader.finish();
  const snapshotAdvised = (flags & FLAG_SNAPSHOT) !== 0;
  // One literal: put together from parts it takes thirty times as long.
  return {
    space,
    key,
    seq,
    session,
    openedAt,
    number,
    settled,
    principal,
    channel,
    payload,
    time,
    seed,
    version,
    patch,
    reply,
    effects: [],
    fuel,
    hash,
    snapshotAdvised,
  };
}

export function readSeq(reader: ByteReader): number {
  const seq = reader.number();
  if (seq === 0) throw malformed();
  return seq;
}

/** A number that was written as what it differs by from another one. */
export function counted(value: number): number {
  if (value < 0 || value > Number.MAX_SAFE_INTEGER) throw malformed();
  return value;
}

/** A record outside of an entry has nothing that it could refer to. */
function expectHere(reader: ByteReader): void {
  if (reader.number() !== HERE) throw malformed();
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function readHash(reader: ByteReader): string {
  const start = reader.take(HASH_BYTES);
  let hash = '';
  for (let at = 0; at < HASH_BYTES; at++) hash += DIGITS[reader.bytes[start + at]!]!;
  return hash;
}

export function skipHash(reader: ByteReader): void {
  reader.take(HASH_BYTES);
}

function writeHash(writer: ByteWriter, hash: string): void {
  let wrong = hash.length ^ (2 * HASH_BYTES);
  for (let at = 0; at < 2 * HASH_BYTES; at += 2) {
    const byte = (digitOf(hash.charCodeAt(at)) << 4) | digitOf(hash.charCodeAt(at + 1));
    wrong |= byte & ~0xff;
    writer.byte(byte);
  }
  assert(wrong === 0, 'a hash has 16 hexadecimal digits');
}

/** The value of a lower-case hexadecimal digit; of anything else a number beyond one. */
function digitOf(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  return unit >= 0x61 && unit <= 0x66 ? unit - 0x61 + 10 : 0x100;
}
