// A delta, as a node stores it and as commands get it.

import { encodeUtf8 } from '@deltabase/base';
import type { LogEntry } from '@deltabase/client';
import type { DeltaRecord } from '@deltabase/machine';
import { paintFor } from '../../src/format/paint.js';

export const PLAIN = paintFor({ isTerminal: false, env: {} }, false);
export const COLORED = paintFor({ isTerminal: true, env: {} }, true);

export function record(more: Partial<DeltaRecord> = {}): DeltaRecord {
  return {
    space: 'counter',
    key: 'visits',
    seq: 7,
    session: 'b7',
    openedAt: 1,
    number: 3,
    settled: 0,
    principal: 'ana',
    channel: 'add',
    payload: encodeUtf8('{"by":2}'),
    time: 1_700_000_000_123,
    seed: 5,
    version: 1,
    patch: encodeUtf8('[{"op":"replace","path":"/n","value":7}]'),
    reply: undefined,
    effects: [],
    fuel: 99,
    hash: '00000000000000ff',
    snapshotAdvised: false,
    ...more,
  };
}

export function entry(more: Partial<LogEntry> = {}): LogEntry {
  return {
    index: 12,
    term: 3,
    kind: 'deltas',
    bytes: 216,
    committed: true,
    records: [record()],
    summary: '1 delta',
    ...more,
  };
}
