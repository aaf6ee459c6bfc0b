// Names, deltas and bytes that the suite sends, and what of them must come.

import type { DocumentName, TailDelta } from '@deltabase/engine';
import { type DeltaRecord, encodeRecord } from '@deltabase/machine';

export function docOf(key: string): DocumentName {
  return { space: 'log', key };
}

export function recordAt(seq: number, changes: Partial<DeltaRecord> = {}): DeltaRecord {
  return {
    space: 'log',
    key: 'k',
    seq,
    session: 'c1',
    openedAt: 1_700_000_000_000,
    number: seq,
    settled: 1,
    principal: 'tests',
    channel: 'append',
    payload: bytes(3, 1),
    time: 1_700_000_000_005,
    seed: 2 ** 32 - 1,
    version: 3,
    patch: bytes(20, seq % 256),
    reply: undefined,
    effects: [],
    fuel: 12,
    hash: seq.toString(16).padStart(16, '0'),
    snapshotAdvised: false,
    ...changes,
  };
}

export function deltaOf(record: DeltaRecord): TailDelta {
  return { seq: record.seq, bytes: encodeRecord(record).slice(), record, encoded: undefined };
}

/** What of a record is told to watchers. */
export function toldOf({ session, number, ...record }: DeltaRecord): unknown[] {
  const { seq, patch, hash, time, channel, payload, principal, version, fuel, seed } = record;
  const contents = [Buffer.from(patch).toString('hex'), Buffer.from(payload).toString('hex')];
  return [seq, hash, time, channel, principal, session, number, version, fuel, seed, ...contents];
}

export function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}
