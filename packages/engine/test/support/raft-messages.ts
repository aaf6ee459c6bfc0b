// One message of each kind that replicas send each other.

import { type HeartbeatMessage, type HeartbeatResponseMessage, votersOnly } from 'raft-ts';
import type { ListedMessage } from '../../src/peers/raft-codec.js';
import { CONF, entry } from './samples.js';

const ENVELOPE = { from: 2, to: 1, term: 9 } as const;
const CONTEXT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const DATA = new Uint8Array(0);

export const HEARTBEAT: HeartbeatMessage = {
  type: 'heartbeat',
  ...ENVELOPE,
  commit: 4,
  match: 5,
  readRound: 2,
};

export const HEARTBEAT_RESPONSE: HeartbeatResponseMessage = {
  type: 'heartbeatResponse',
  ...ENVELOPE,
  readRound: 2,
  damaged: true,
};

export const LISTED_MESSAGES: readonly ListedMessage[] = [
  {
    type: 'append',
    ...ENVELOPE,
    prevIndex: 70_000,
    prevTerm: 8,
    entries: [entry(70_001, 8, 'a'), { ...entry(70_002, 9, 'bc'), type: 'confChange' }],
    commit: 69_999,
    match: 0,
  },
  { type: 'append', ...ENVELOPE, prevIndex: 0, prevTerm: 0, entries: [], commit: 0, match: 0 },
  { type: 'appendResponse', ...ENVELOPE, index: 5, hintIndex: 4, hintTerm: 3, reject: true },
  { type: 'vote', ...ENVELOPE, lastIndex: 7, lastTerm: 8, transfer: true },
  {
    type: 'preVote',
    ...ENVELOPE,
    lastIndex: 7,
    lastTerm: 8,
    transfer: false,
    commit: { term: 3, index: 6 },
  },
  { type: 'voteResponse', ...ENVELOPE, reject: false },
  { type: 'preVoteResponse', ...ENVELOPE, reject: true, commit: { term: 3, index: 6 } },
  {
    type: 'snapshot',
    ...ENVELOPE,
    snapshot: { index: 50, term: 4, confState: CONF, data: Uint8Array.of(1) },
  },
  {
    type: 'snapshot',
    ...ENVELOPE,
    snapshot: { index: 1, term: 1, confState: votersOnly([1]), data: DATA },
  },
  { type: 'timeoutNow', ...ENVELOPE },
  { type: 'transferLeader', ...ENVELOPE, transferee: 3 },
  { type: 'readIndex', ...ENVELOPE, term: 0, context: CONTEXT },
  { type: 'readIndexResponse', ...ENVELOPE, index: 12, context: CONTEXT },
];
