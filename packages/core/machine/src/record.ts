// Delta record, version 1 (DESIGN.md section 4): the delta of one message to one document, with its cause.
// One msgpack array of fixed order; it is encoded once, by the leader, and its bytes are what the Raft log,
// the document's history and every copy hold. docs/wire-formats.md describes it; tests hold golden bytes.

import { assert, DeltabaseError, pack, unpack } from '@deltabase/base';

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

const RECORD_VERSION = 1;
const FIELDS = 20;
const FLAG_SNAPSHOT = 1;

/** The record's bytes; see `pack` for who owns their buffer. */
export function encodeRecord(record: DeltaRecord): Uint8Array {
  assert(record.seq >= 1, 'a delta makes seq 1 or more');
  return pack([
    RECORD_VERSION,
    record.space,
    record.key,
    record.seq,
    record.session,
    record.openedAt,
    record.number,
    record.settled,
    record.principal,
    record.channel,
    record.payload,
    record.time,
    record.seed,
    record.version,
    record.patch,
    record.reply ?? null,
    record.effects,
    record.fuel,
    record.hash,
    record.snapshotAdvised ? FLAG_SNAPSHOT : 0,
  ]);
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
