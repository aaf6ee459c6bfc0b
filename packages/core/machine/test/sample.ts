// A delta record and a message with every field set, for the tests of their formats.

import { encodeUtf8 } from '@deltabase/base';
import type { DeltaRecord, Message, OutcomeRecord } from '../src/index.js';

export function sampleRecord(changes: Partial<DeltaRecord> = {}): DeltaRecord {
  return {
    space: 'counter',
    key: 'visits',
    seq: 7,
    session: 'c1',
    openedAt: 1_700_000_000_000,
    number: 12,
    settled: 10,
    principal: 'anonymous',
    channel: 'add',
    payload: encodeUtf8('{"by":1}'),
    time: 1_700_000_000_123,
    seed: 4_294_967_295,
    version: 3,
    patch: encodeUtf8('[{"op":"replace","path":"/n","value":7}]'),
    reply: encodeUtf8('7'),
    effects: [],
    fuel: 250,
    hash: '0123456789abcdef',
    snapshotAdvised: true,
    ...changes,
  };
}

export function sampleOutcome(changes: Partial<OutcomeRecord> = {}): OutcomeRecord {
  return {
    space: 'counter',
    key: 'visits',
    session: 'c1',
    openedAt: 1_700_000_000_000,
    number: 12,
    settled: 10,
    time: 1_700_000_000_123,
    answer: { kind: 'failed', code: 'REJECTED', message: 'sold out' },
    ...changes,
  };
}

export function sampleMessage(changes: Partial<Message> = {}): Message {
  return {
    space: 'counter',
    key: 'visits',
    channel: 'add',
    payload: encodeUtf8('{"by":1}'),
    principal: 'anonymous',
    session: { name: 'c1', openedAt: 1_700_000_000_000, settled: 0 },
    number: 12,
    after: 0,
    ...changes,
  };
}
