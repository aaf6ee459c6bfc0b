// Raft's messages as msgpack lists: [group, type, from, term, ...fields]; heartbeats go another way (beat-codec.ts).
// Entries are flattened to their data with the few that differ from "normal, of the message's term" told apart.
// Versioned by the frame. What is read is checked for form, and for what no sender ever says; more than that no
// receiver can tell.

import { assert } from '@deltabase/base';
import type {
  Entry,
  HeartbeatMessage,
  HeartbeatResponseMessage,
  KnownCommit,
  Message,
  ProposeMessage,
} from 'raft-ts';
import { encodeConfState } from '../storage/rows.js';
import { Fields, malformed } from './fields.js';
import { readConfState } from './frame.js';

const TYPES = [
  'append',
  'appendResponse',
  'vote',
  'voteResponse',
  'preVote',
  'preVoteResponse',
  'snapshot',
  'timeoutNow',
  'transferLeader',
  'readIndex',
  'readIndexResponse',
] as const;

/** What goes in a list of its own. */
export type ListedMessage = Exclude<
  Message,
  ProposeMessage | HeartbeatMessage | HeartbeatResponseMessage
>;

type MessageType = ListedMessage['type'];

const CODES = new Map<string, number>(TYPES.map((type, code) => [type, code]));

const NORMAL = 0;
const CONF_CHANGE = 1;

interface Envelope {
  readonly from: number;
  readonly to: number;
  readonly term: number;
}

/** A message of a group as a list. */
export function encodeRaftMessage(group: number, m: ListedMessage | ProposeMessage): unknown[] {
  assert(m.type !== 'propose', 'messages are passed on, not entries: only a leader proposes');
  const code = CODES.get(m.type);
  const { from, term } = m;
  switch (m.type) {
    case 'append': {
      const { prevIndex, prevTerm, commit, match } = m;
      const entries = encodeEntries(m.entries);
      return [group, code, from, term, prevIndex, prevTerm, commit, match, entries];
    }
    case 'appendResponse':
      return [group, code, from, term, m.index, m.hintIndex, m.hintTerm, m.reject];
    case 'vote':
    case 'preVote':
      return [group, code, from, term, m.lastIndex, m.lastTerm, m.transfer, idOf(m.commit)];
    case 'voteResponse':
    case 'preVoteResponse':
      return [group, code, from, term, m.reject, idOf(m.commit)];
    case 'snapshot': {
      const { index, term: snapshotTerm, confState, data } = m.snapshot;
      return [group, code, from, term, index, snapshotTerm, encodeConfState(confState), data];
    }
    case 'timeoutNow':
      return [group, code, from, term];
    case 'transferLeader':
      return [group, code, from, term, m.transferee];
    case 'readIndex':
      return [group, code, from, term, m.context];
    case 'readIndexResponse':
      return [group, code, from, term, m.index, m.context];
  }
}

/** The message in a list that came to `to`. Throws DATA_CORRUPT if it is none. */
export function decodeRaftMessage(
  to: number,
  list: unknown,
): { readonly group: number; readonly message: ListedMessage } {
  const fields = new Fields(list);
  const group = fields.whole();
  const type = TYPES[fields.whole()];
  const message = decodeFields(type, { from: fields.whole(), to, term: fields.whole() }, fields);
  fields.end();
  return { group, message };
}

function decodeFields(type: MessageType | undefined, envelope: Envelope, f: Fields): ListedMessage {
  switch (type) {
    case 'append':
      return decodeAppend(envelope, f);
    case 'appendResponse': {
      const at = { index: f.whole(), hintIndex: f.whole(), hintTerm: f.whole() };
      return { type, ...envelope, ...at, reject: f.flag() };
    }
    case 'vote':
    case 'preVote': {
      const last = { lastIndex: f.whole(), lastTerm: f.whole() };
      return { type, ...envelope, ...last, transfer: f.flag(), ...readCommit(f) };
    }
    case 'voteResponse':
    case 'preVoteResponse':
      return { type, ...envelope, reject: f.flag(), ...readCommit(f) };
    case 'snapshot': {
      const at = { index: f.whole(), term: f.whole() };
      const snapshot = { ...at, confState: readConfState(f.nested()), data: f.bytes() };
      return { type, ...envelope, snapshot };
    }
    case 'timeoutNow':
      return { type, ...envelope };
    case 'transferLeader':
      return { type, ...envelope, transferee: f.whole() };
    case 'readIndex':
      return { type, ...envelope, context: f.bytes().slice() };
    case 'readIndexResponse':
      return { type, ...envelope, index: f.whole(), context: f.bytes() };
    case undefined:
      throw malformed();
  }
}

function decodeAppend(envelope: Envelope, f: Fields): ListedMessage {
  const previous = { prevIndex: f.whole(), prevTerm: f.whole() };
  const known = { commit: f.whole(), match: f.whole() };
  const entries = decodeEntries(previous, envelope.term, f.nested());
  return { type: 'append', ...envelope, ...previous, entries, ...known };
}

function encodeEntries(entries: readonly Entry[]): unknown[] {
  const list: unknown[] = [];
  for (const { term, type, data } of entries) list.push(term, kindOf(type), data);
  return list;
}

/** Entries that follow `previous`, with terms that never go back and do not pass that of the message. */
function decodeEntries(
  previous: { readonly prevIndex: number; readonly prevTerm: number },
  termMax: number,
  fields: Fields,
): Entry[] {
  const entries: Entry[] = [];
  let { prevIndex: index, prevTerm: termMin } = previous;
  while (fields.left > 0) {
    const term = fields.whole();
    const type = typeOf(fields.whole());
    if (term < termMin || term > termMax) throw malformed();
    // A copy: entries stay for long, and must not hold the frame that they came in.
    entries.push({ term, index: ++index, type, data: fields.bytes().slice() });
    termMin = term;
  }
  return entries;
}

function idOf(commit: KnownCommit | undefined): unknown {
  return commit === undefined ? null : [commit.term, commit.index];
}

function readCommit(f: Fields): { readonly commit?: KnownCommit } {
  const id = f.maybeNested();
  if (id === undefined) return {};
  const commit = { term: id.whole(), index: id.whole() };
  id.end();
  return { commit };
}

function kindOf(type: Entry['type']): number {
  return type === 'normal' ? NORMAL : CONF_CHANGE;
}

function typeOf(kind: number): Entry['type'] {
  if (kind !== NORMAL && kind !== CONF_CHANGE) throw malformed();
  return kind === NORMAL ? 'normal' : 'confChange';
}
