// Takes the Raft messages out of a frame: for tools and checkers that look at what nodes say to each other.

import type { Message } from 'raft-ts';
import type { NodeId } from '../ports.js';
import { readHeartbeatResponses, readHeartbeats } from './beat-codec.js';
import { decodeFrame } from './frame.js';
import { decodeRaftMessage } from './raft-codec.js';

/** A message of a group. */
export interface GroupMessage {
  readonly group: number;
  readonly message: Message;
}

/** The messages in a frame of the urgent lane. Throws DATA_CORRUPT for what is none. */
export function raftMessagesOf(
  frame: Uint8Array,
  ends: { readonly from: NodeId; readonly to: NodeId },
): GroupMessage[] {
  const { raft, heartbeats, heartbeatResponses } = decodeFrame(frame);
  return [
    ...raft.map((list) => decodeRaftMessage(ends.to, list)),
    ...readHeartbeats(heartbeats, ends),
    ...readHeartbeatResponses(heartbeatResponses, ends),
  ];
}
