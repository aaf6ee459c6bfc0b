// Entries, messages, records and a configuration, with every field set.

import { DEFAULT_LIMITS, encodeUtf8, type Limits } from '@deltabase/base';
import { DEFAULT_TIMING, type EngineConfig, type Member } from '@deltabase/engine';
import type { DeltaRecord, Message } from '@deltabase/machine';
import type { ConfState, Entry } from 'raft-ts';

export const OPENED = 1_700_000_000_000;

export const CONF: ConfState = {
  voters: [1, 2, 3],
  votersOutgoing: [1, 2],
  learners: [5],
  learnersNext: [3],
  autoLeave: true,
};

export function entry(index: number, term: number, data = `entry ${index}`): Entry {
  return { index, term, type: 'normal', data: encodeUtf8(data) };
}

export function sampleMessage(changes: Partial<Message> = {}): Message {
  return {
    space: 'log',
    key: 'a',
    channel: 'append',
    payload: encodeUtf8('{"token":"t1"}'),
    principal: 'anonymous',
    session: { name: 'c1', openedAt: OPENED, settled: 1 },
    number: 1,
    after: 0,
    ...changes,
  };
}

export function sampleRecord(changes: Partial<DeltaRecord> = {}): DeltaRecord {
  return {
    space: 'log',
    key: 'a',
    seq: 1,
    session: 'c1',
    openedAt: OPENED,
    number: 1,
    settled: 1,
    principal: 'anonymous',
    channel: 'append',
    payload: encodeUtf8('{"token":"t1"}'),
    time: OPENED + 5,
    seed: 7,
    version: 1,
    patch: encodeUtf8('[]'),
    reply: undefined,
    effects: [],
    fuel: 10,
    hash: '0000000000000000',
    snapshotAdvised: false,
    ...changes,
  };
}

/** A node, and where a sample has it. */
export function sampleMember(node: number): Member {
  return { node, peerAddress: `peer-${node}:1`, clientAddress: `client-${node}:1` };
}

export function sampleConfig(limits: Partial<Limits> = {}): EngineConfig {
  return {
    cluster: 'sim',
    node: 1,
    members: [1, 2, 3].map(sampleMember),
    groups: 2,
    timing: DEFAULT_TIMING,
    limits: { ...DEFAULT_LIMITS, ...limits },
  };
}
