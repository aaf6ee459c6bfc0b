// What an engine tells operators of itself: plain data, gathered on demand.

import type { Role, Status } from 'raft-ts';
import type { NodeId } from './ports.js';

/** One group as its node sees it. */
export interface GroupStatus extends Status {
  readonly group: number;
  readonly role: Role;
  readonly flushedIndex: number;
  readonly queued: number;
}

export interface EngineStatus {
  readonly cluster: string;
  readonly node: NodeId;
  readonly incarnation: number;
  readonly uptimeMs: number;
  readonly members: readonly { readonly node: NodeId; readonly reachable: boolean }[];
  readonly groups: readonly GroupStatus[];
  readonly counters: EngineCounters;
}

/** Counts since the engine started, and present sizes. */
export interface EngineCounters {
  readonly residentDocuments: number;
  /** As of the last sweep, seconds ago. */
  readonly residentBytes: number;
  readonly messagesExecuted: number;
  readonly messagesFailed: number;
  readonly messagesForwarded: number;
  readonly deltasApplied: number;
  readonly turns: number;
  readonly diskWrites: number;
  readonly diskBytesWritten: number;
  readonly diskBytesUsed: number;
  readonly diskBytesFree: number;
  readonly peerFramesSent: number;
  readonly peerBytesSent: number;
  readonly watches: number;
}
