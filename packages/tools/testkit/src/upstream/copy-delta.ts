// A delta as it comes from another process: what its watchers are told of it, and nothing that is shared with where it
// comes from.

import { recordOf, type TailDelta } from '@deltabase/engine';
import { type DeltaRecord, encodeRecord } from '@deltabase/machine';

export function copyDelta(delta: TailDelta): TailDelta {
  return deltaOf(recordOf(delta));
}

/** The same of a record of a document's history. */
export function deltaOf(record: DeltaRecord): TailDelta {
  const told: DeltaRecord = {
    ...record,
    space: '',
    key: '',
    openedAt: 0,
    settled: 0,
    patch: record.patch.slice(),
    payload: record.payload.slice(),
    reply: undefined,
    effects: [],
    snapshotAdvised: false,
  };
  return { seq: told.seq, bytes: encodeRecord(told).slice(), record: told, encoded: undefined };
}
