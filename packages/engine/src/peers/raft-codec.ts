// Raft's messages as msgpack lists: [group, type, from, term, ...fields]. Entries are flattened to their data
// with the few that differ from "normal, of the message's term" told apart. Versioned by the frame.

import { DeltabaseError } from '@deltabase/base';
import type { Entry, Message } from 'raft-ts';
import { decodeConfState, encodeConfState } from '../storage/rows.js';

const TYPES = [
  'append',
  'appendResponse',
  'vote',
  'voteResponse',
  'preVote',
  'preVoteResponse',
  'heartbeat',
  'heartbeatResponse',
  'snapshot',
  'timeoutNow',
  'transferLeader',
  'propose',
  'readIndex',
  'readIndexResponse',
] as const;

const CODES = new Map<string, number>(TYPES.map((type, code) => [type, code]));

// biome-ignore lint/suspicious/noExplicitAny: lists of mixed fields, by position; decode checks the type.
type Fields = any[];

/** A message of a group as a list. */
export function encodeRaftMessage(group: number, m: Message): unknown[] {
  const head = [group, CODES.get(m.type), m.from, m.term];
  switch (m.type) {
    case 'append':
      head.push(m.prevIndex, m.prevTerm, m.commit, m.match);
      return [...head, encodeEntries(m.entries)];
    case 'appendResponse':
      head.push(m.index, m.hintIndex, m.hintTerm);
      return [...head, m.reject];
    case 'vote':
    case 'preVote':
      head.push(m.lastIndex, m.lastTerm);
      return [...head, m.transfer];
    case 'voteResponse':
    case 'preVoteResponse':
      return [...head, m.reject];
    case 'heartbeat':
      return [...head, m.commit, m.match, m.readRound];
    case 'heartbeatResponse':
      return [...head, m.readRound, m.damaged];
    case 'snapshot': {
      const { index, term, confState, data } = m.snapshot;
      return [...head, index, term, encodeConfState(confState), data];
    }
    case 'timeoutNow':
      return head;
    case 'transferLeader':
      return [...head, m.transferee];
    case 'propose':
      return [...head, m.entries.map(({ type, data }) => [type === 'normal' ? 0 : 1, data])];
    case 'readIndex':
      return [...head, m.context];
    case 'readIndexResponse':
      return [...head, m.index, m.context];
  }
}

/** The message in a list that came to `to`. Throws DATA_CORRUPT for a type that is not known here. */
export function decodeRaftMessage(to: number, list: Fields): { group: number; message: Message } {
  const [group, code, from, term] = list;
  return { group, message: decodeFields(TYPES[code], { from, to, term }, list.slice(4)) };
}

function decodeFields(
  type: Message['type'] | undefined,
  envelope: { from: number; to: number; term: number },
  f: Fields,
): Message {
  switch (type) {
    case 'append': {
      const [prevIndex, prevTerm, commit, match] = f;
      const entries = decodeEntries(prevIndex + 1, f[4]);
      return { type, ...envelope, prevIndex, prevTerm, entries, commit, match };
    }
    case 'appendResponse':
      return { type, ...envelope, index: f[0], hintIndex: f[1], hintTerm: f[2], reject: f[3] };
    case 'vote':
    case 'preVote':
      return { type, ...envelope, lastIndex: f[0], lastTerm: f[1], transfer: f[2] };
    case 'voteResponse':
    case 'preVoteResponse':
      return { type, ...envelope, reject: f[0] };
    case 'heartbeat':
      return { type, ...envelope, commit: f[0], match: f[1], readRound: f[2] };
    case 'heartbeatResponse':
      return { type, ...envelope, readRound: f[0], damaged: f[1] };
    case 'snapshot': {
      const [index, term, confState, data] = f;
      const snapshot = { index, term, confState: decodeConfState(confState), data };
      return { type, ...envelope, snapshot };
    }
    case 'timeoutNow':
      return { type, ...envelope };
    case 'transferLeader':
      return { type, ...envelope, transferee: f[0] };
    case 'propose': {
      const entries = f[0].map(([kind, data]: [number, Uint8Array]) => ({
        type: kind === 0 ? 'normal' : 'confChange',
        data,
      }));
      return { type, ...envelope, entries };
    }
    case 'readIndex':
      return { type, ...envelope, context: f[0] };
    case 'readIndexResponse':
      return { type, ...envelope, index: f[0], context: f[1] };
    case undefined:
      throw new DeltabaseError('DATA_CORRUPT', 'a peer sent a message of an unknown type');
  }
}

function encodeEntries(entries: readonly Entry[]): unknown[] {
  const list: unknown[] = [];
  for (const { term, type, data } of entries) list.push(term, type === 'normal' ? 0 : 1, data);
  return list;
}

function decodeEntries(firstIndex: number, list: Fields): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < list.length; at += 3) {
    entries.push({
      term: list[at],
      index: firstIndex + entries.length,
      type: list[at + 1] === 0 ? 'normal' : 'confChange',
      data: list[at + 2],
    });
  }
  return entries;
}
