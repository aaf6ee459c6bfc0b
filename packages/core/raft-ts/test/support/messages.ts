// Messages by hand, to node 1, with what a test does not care for filled in.

import type {
  AppendMessage,
  AppendResponseMessage,
  HeartbeatMessage,
  HeartbeatResponseMessage,
  Message,
  SnapshotMessage,
  VoteMessage,
  VoteResponseMessage,
} from '../../src/message.js';
import { snapshotAt } from './entries.js';

type Parts<M> = Partial<Omit<M, 'type'>> & { readonly from: number; readonly term: number };

export function append(parts: Parts<AppendMessage>): AppendMessage {
  return {
    type: 'append',
    to: 1,
    prevIndex: 0,
    prevTerm: 0,
    entries: [],
    commit: 0,
    match: 0,
    ...parts,
  };
}

export function appendResponse(parts: Parts<AppendResponseMessage>): AppendResponseMessage {
  return {
    type: 'appendResponse',
    to: 1,
    index: 0,
    reject: false,
    hintIndex: 0,
    hintTerm: 0,
    ...parts,
  };
}

export function vote(parts: Parts<VoteMessage>): VoteMessage {
  return { type: 'vote', to: 1, lastIndex: 0, lastTerm: 0, transfer: false, ...parts };
}

export function preVote(parts: Parts<VoteMessage>): VoteMessage {
  return { ...vote(parts), type: 'preVote' };
}

export function voteResponse(parts: Parts<VoteResponseMessage>): VoteResponseMessage {
  return { type: 'voteResponse', to: 1, reject: false, ...parts };
}

export function preVoteResponse(parts: Parts<VoteResponseMessage>): VoteResponseMessage {
  return { ...voteResponse(parts), type: 'preVoteResponse' };
}

export function heartbeat(parts: Parts<HeartbeatMessage>): HeartbeatMessage {
  return { type: 'heartbeat', to: 1, commit: 0, match: 0, readRound: 0, ...parts };
}

export function heartbeatResponse(
  parts: Parts<HeartbeatResponseMessage>,
): HeartbeatResponseMessage {
  return { type: 'heartbeatResponse', to: 1, readRound: 0, damaged: false, ...parts };
}

export function snapshotMessage(parts: Parts<SnapshotMessage>): SnapshotMessage {
  return { type: 'snapshot', to: 1, snapshot: snapshotAt(1, 1, [1, 2, 3]), ...parts };
}

/** Those of `messages` that are of one kind. */
export function only<T extends Message['type']>(
  messages: readonly Message[],
  type: T,
): (Message & { type: T })[] {
  return messages.filter((message): message is Message & { type: T } => message.type === type);
}
