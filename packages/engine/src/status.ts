// What an engine tells operators of itself: plain data, gathered on demand.

import type { BasicStatus, ConfState, Role, Status } from 'raft-ts';
import type { ReplicaListing } from './heat/attached-replicas.js';
import type { SheddingCounters } from './heat/shedding.js';
import type { EngineParts } from './parts.js';
import type { NodeId } from './ports.js';

/** Where a node's copy of a group stands. */
export interface GroupPosition extends BasicStatus {
  /** The configuration as applied here. */
  readonly conf: ConfState;
  /** It gets no ticks and no heartbeats here until there is something to do. */
  readonly asleep: boolean;
}

/** One group as its node sees it. */
export interface GroupStatus extends Status {
  readonly group: number;
  readonly role: Role;
  readonly flushedIndex: number;
  readonly queued: number;
  readonly asleep: boolean;
}

export interface EngineStatus {
  readonly cluster: string;
  readonly node: NodeId;
  readonly incarnation: number;
  readonly uptimeMs: number;
  /** It is about to stop: it takes nothing new and hands its leaderships over. */
  readonly draining: boolean;
  /** A write or a read has been on its way for so long that this node leads nothing. */
  readonly diskStalled: boolean;
  /** There is so little room on its disk that it takes no messages. */
  readonly diskLow: boolean;
  readonly groups: readonly GroupStatus[];
  /** Replicas that have offered themselves to this node. */
  readonly replicas: readonly ReplicaListing[];
  readonly counters: EngineCounters;
}

/** Counts since the engine started, and present sizes. */
export interface EngineCounters extends SheddingCounters {
  readonly residentDocuments: number;
  readonly residentBytes: number;
  readonly messagesExecuted: number;
  readonly messagesFailed: number;
  readonly messagesForwarded: number;
  readonly deltasApplied: number;
  readonly turns: number;
  /** Ticks left out because the node was busy, or its process stood still. */
  readonly ticksMissed: number;
  readonly diskWrites: number;
  readonly diskBytesWritten: number;
  /** Keys and values of Raft log entries, of all groups, on stable storage; a part of `diskBytesWritten`. */
  readonly logBytesWritten: number;
  /** Bytes that wait for the write under way to end. */
  readonly diskBytesWaiting: number;
  readonly diskBytesUsed: number;
  readonly diskBytesFree: number;
  readonly peerFramesSent: number;
  readonly peerBytesSent: number;
  readonly watches: number;
  /** Reads of a document as it is that were answered, and events that watchers were given. */
  readonly readsAnswered: number;
  readonly eventsDelivered: number;
  /** Documents that are read or watched so much that they should have copies. */
  readonly documentsHot: number;
  /** Groups that sleep on this node. */
  readonly groupsAsleep: number;
}

/** Gathers the status of an engine. */
export function statusOf(
  identity: Pick<EngineStatus, 'cluster' | 'node' | 'incarnation' | 'uptimeMs'>,
  parts: EngineParts,
): EngineStatus {
  const { groups, upkeep, diskRoom } = parts;
  return {
    ...identity,
    draining: upkeep.isDraining,
    diskStalled: upkeep.isDiskStalled,
    diskLow: diskRoom.isLow,
    replicas: parts.readLoad.replicas.list(),
    groups: groups.map((group) => ({
      ...group.status(),
      group: group.id,
      flushedIndex: group.flushedIndex,
      queued: group.backlogCount,
      asleep: group.isAsleep,
    })),
    counters: countersOf(parts),
  };
}

function countersOf(parts: EngineParts): EngineCounters {
  const {
    groups,
    links,
    writer,
    counters,
    loop,
    forwarding,
    watches,
    upkeep,
    residency,
    readLoad,
  } = parts;
  const { heat, shedding } = readLoad;
  const { freeBytes, usedBytes } = parts.disk.space();
  return {
    residentDocuments: groups.reduce((sum, { documents }) => sum + documents.residentCount, 0),
    residentBytes: residency.bytes,
    messagesExecuted: counters.executed,
    messagesFailed: counters.failed,
    messagesForwarded: forwarding.count,
    deltasApplied: counters.deltasApplied,
    turns: loop.turns,
    ticksMissed: upkeep.ticksMissed,
    diskWrites: writer.writes,
    diskBytesWritten: writer.bytesWritten,
    logBytesWritten: counters.logBytesWritten,
    diskBytesWaiting: writer.waitingBytes,
    diskBytesUsed: usedBytes,
    diskBytesFree: freeBytes,
    peerFramesSent: links.counters.framesSent,
    peerBytesSent: links.counters.bytesSent,
    watches: watches.count,
    readsAnswered: heat.reads,
    eventsDelivered: heat.deliveries,
    documentsHot: heat.hotCount,
    ...shedding.counters,
    groupsAsleep: groups.filter((group) => group.isAsleep).length,
  };
}
