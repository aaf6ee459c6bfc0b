// What a replica can tell of itself: cheaply for each turn of a host, in full for people.

import type { ProgressState } from './progress.js';
import { waitingReads } from './reads.js';
import type { Replica } from './replica.js';
import type { ConfState, NodeId, Role } from './types.js';

/** The replica without what it knows of others. */
export interface BasicStatus {
  readonly id: NodeId;
  readonly term: number;
  readonly vote: NodeId;
  readonly role: Role;
  readonly lead: NodeId;
  readonly commit: number;
  readonly applied: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Where the leadership is being moved to. */
  readonly leadTransferee: NodeId;
  /** It has lost what it acknowledged and must be replaced. */
  readonly damaged: boolean;
}

export interface Status extends BasicStatus {
  readonly conf: ConfState;
  /** Bytes of data in this leader's entries that are not applied yet (Config.uncommittedBytesMax). */
  readonly uncommittedBytes: number;
  /** Bytes of entries that were handed out to be applied, and are not (Config.applyingBytesMax). */
  readonly applyingBytes: number;
  /** Reads that wait for a round, or for the first commit of the term (Config.pendingReadsMax). */
  readonly pendingReads: number;
  /** Of every node, in order of their ids; empty unless this replica leads. */
  readonly progress: readonly PeerStatus[];
}

/** What the leader knows of a node. */
export interface PeerStatus {
  readonly id: NodeId;
  readonly match: number;
  readonly next: number;
  readonly state: ProgressState;
  readonly isLearner: boolean;
  readonly paused: boolean;
  readonly inflight: number;
  readonly pendingSnapshot: number;
  readonly recentActive: boolean;
  readonly damaged: boolean;
}

export function basicStatus(replica: Replica): BasicStatus {
  const { log } = replica;
  return {
    id: replica.id,
    term: replica.term,
    vote: replica.vote,
    role: replica.role,
    lead: replica.lead,
    commit: log.committed,
    applied: log.applied,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    leadTransferee: replica.leadTransferee,
    damaged: replica.damaged,
  };
}

export function status(replica: Replica): Status {
  const { tracker } = replica;
  const peers = replica.role === 'leader' ? tracker.nodes : [];
  return {
    conf: tracker.conf,
    uncommittedBytes: replica.uncommittedBytes,
    applyingBytes: replica.log.applyingBytes,
    pendingReads: waitingReads(replica),
    progress: peers.map((id) => peerStatus(replica, id)),
    ...basicStatus(replica),
  };
}

function peerStatus(replica: Replica, id: NodeId): PeerStatus {
  const progress = replica.tracker.progress(id)!;
  return {
    id,
    match: progress.match,
    next: progress.next,
    state: progress.state,
    isLearner: progress.isLearner,
    paused: progress.isPaused,
    inflight: progress.inflights.count,
    pendingSnapshot: progress.pendingSnapshot,
    recentActive: progress.recentActive,
    damaged: progress.damaged,
  };
}
