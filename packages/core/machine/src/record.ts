// Delta record, version 1 (DESIGN.md section 4): the delta of one message to one document, with its cause.
// One msgpack array of fixed order; it is encoded once, by the leader, and its bytes are what the Raft log,
// the document's history and every copy hold. docs/wire-formats.md describes it; tests hold golden bytes.
// record-parts.ts reads what copies need of it.

import { assert, DeltabaseError, unpack } from '@deltabase/base';
import { PackWriter } from './pack-writer.js';

/** What one message did to one document. Bytes fields are not copied: they share the record's buffer. */
export interface DeltaRecord {
  readonly space: string;
  readonly key: string;
  /** The document's seq after this delta; the first is 1. */
  readonly seq: number;
  /** The cause: message id, principal, channel, payload. */
  readonly session: string;
  readonly openedAt: number;
  readonly number: number;
  readonly settled: number;
  readonly principal: string;
  readonly channel: string;
  readonly payload: Uint8Array;
  /** Milliseconds since 1970 by the leader's clock, never less than the group's delta before. */
  readonly time: number;
  /** What the guest's random numbers came from. */
  readonly seed: number;
  /** The version of the space's machine that ran, from 1; 0 for the system space. */
  readonly version: number;
  /** RFC 6902 list as canonical JSON. */
  readonly patch: Uint8Array;
  readonly reply: Uint8Array | undefined;
  /** Messages to other documents and timers: reserved, always empty in version 1. */
  readonly effects: readonly never[];
  readonly fuel: number;
  /** The document's rolling hash after this delta: 16 hexadecimal digits. */
  readonly hash: string;
  /** The leader's advice to every copy to store a snapshot at this seq when it next flushes. */
  readonly snapshotAdvised: boolean;
}

export const RECORD_VERSION = 1;
export const FIELDS = 20;
export const FLAG_SNAPSHOT = 1;

/** Writes the record's bytes; they are what `pack` would make of its fields in this order. */
export function writeRecord(writer: PackWriter, record: DeltaRecord): void {
  assert(record.seq >= 1, 'a delta makes seq 1 or more');
  assert(record.effects.length === 0, 'effects are reserved');
  writer.array(FIELDS);
  writer.number(RECORD_VERSION);
  writer.text(record.space);
  writer.text(record.key);
  writer.number(record.seq);
  writer.text(record.session);
  writer.number(record.openedAt);
  writer.number(record.number);
  writer.number(record.settled);
  writer.text(record.principal);
  writer.text(record.channel);
  writer.bytes(record.payload);
  writer.number(record.time);
  writer.number(record.seed);
  writer.number(record.version);
  writer.bytes(record.patch);
  if (record.reply === undefined) writer.nil();
  else writer.bytes(record.reply);
  writer.array(0);
  writer.number(record.fuel);
  writer.text(record.hash);
  writer.number(record.snapshotAdvised ? FLAG_SNAPSHOT : 0);
}

/** The record's bytes, in a buffer of their own. */
export function encodeRecord(record: DeltaRecord): Uint8Array {
  const writer = new PackWriter(1024);
  writeRecord(writer, record);
  return writer.slice(0, writer.at);
}

/** The record in `bytes`. Throws DATA_CORRUPT if they are not one record of a version known here. */
export function decodeRecord(bytes: Uint8Array): DeltaRecord {
  const f = unpack(bytes);
  if (!Array.isArray(f) || f[0] !== RECORD_VERSION || f.length !== FIELDS) {
    throw new DeltabaseError(
      'DATA_CORRUPT',
      'a delta record has an unknown version or form: it may be of a newer release',
    );
  }
  return {
    space: f[1],
    key: f[2],
    seq: f[3],
    session: f[4],
    openedAt: f[5],
    number: f[6],
    settled: f[7],
    principal: f[8],
    channel: f[9],
    payload: f[10],
    time: f[11],
    seed: f[12],
    version: f[13],
    patch: f[14],
    reply: f[15] ?? undefined,
    effects: f[16],
    fuel: f[17],
    hash: f[18],
    snapshotAdvised: (f[19] & FLAG_SNAPSHOT) !== 0,
  };
}
