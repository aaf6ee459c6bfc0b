// Heartbeats of all groups to one peer, and the answers to them, as one flat list of numbers each: with a thousand
// groups that is a few kilobytes in a frame, and no object for each on the way. Versioned by the frame; what is
// read is checked for form, and for what no sender ever says.

import type { HeartbeatMessage, HeartbeatResponseMessage } from 'raft-ts';
import type { NodeId } from '../ports.js';
import { Fields, malformed } from './fields.js';

/** A heartbeat of a group. */
export interface GroupHeartbeat {
  readonly group: number;
  readonly message: HeartbeatMessage;
  /** The leader is about to fall asleep, and so may the receiver. */
  readonly offersSleep: boolean;
}

/** An answer to one, or what a node says of its copy unasked. */
export interface GroupHeartbeatResponse {
  readonly group: number;
  readonly message: HeartbeatResponseMessage;
  /** The end of the log at which the sender's copy sleeps; 0: it does not. */
  readonly sleepsAt: number;
}

/** Who sent a list, and to whom. */
interface Ends {
  readonly from: NodeId;
  readonly to: NodeId;
}

/** Appends a heartbeat to a list. */
export function writeHeartbeat(
  list: number[],
  { group, message, offersSleep }: GroupHeartbeat,
): void {
  const { term, commit, match, readRound } = message;
  list.push(group, term, commit, match, readRound, offersSleep ? 1 : 0);
}

/** Appends an answer to a list. */
export function writeHeartbeatResponse(
  list: number[],
  { group, message, sleepsAt }: GroupHeartbeatResponse,
): void {
  const { term, readRound, damaged } = message;
  list.push(group, term, readRound, damaged ? 1 : 0, sleepsAt);
}

/** The heartbeats in a list, in order. Throws DATA_CORRUPT at what is none. */
export function* readHeartbeats(list: readonly unknown[], ends: Ends): Generator<GroupHeartbeat> {
  const fields = new Fields(list);
  while (fields.left > 0) {
    const group = fields.whole();
    const term = fields.whole();
    const known = { commit: fields.whole(), match: fields.whole(), readRound: fields.whole() };
    const offersSleep = readFlag(fields);
    // What the receiver may not have it must not commit (docs/raft.md, pitfall 5).
    if (known.commit > known.match) throw malformed();
    yield { group, message: { type: 'heartbeat', ...ends, term, ...known }, offersSleep };
  }
}

/** The answers in a list, in order. Throws DATA_CORRUPT at what is none. */
export function* readHeartbeatResponses(
  list: readonly unknown[],
  ends: Ends,
): Generator<GroupHeartbeatResponse> {
  const fields = new Fields(list);
  while (fields.left > 0) {
    const group = fields.whole();
    const said = { term: fields.whole(), readRound: fields.whole(), damaged: readFlag(fields) };
    yield {
      group,
      message: { type: 'heartbeatResponse', ...ends, ...said },
      sleepsAt: fields.whole(),
    };
  }
}

function readFlag(fields: Fields): boolean {
  const flag = fields.whole();
  if (flag > 1) throw malformed();
  return flag === 1;
}
