// What an engine is told when it is made. Plain values; the server reads them from flags and files.

import { DeltabaseError, type Limits } from '@deltabase/base';
import type { JoinTicket, Member } from './members/member.js';
import { NODE_ID_MAX } from './members/members-refusals.js';
import type { NodeId } from './ports.js';

export interface EngineConfig {
  /** The cluster's name: nodes of different clusters refuse each other. */
  readonly cluster: string;
  readonly node: NodeId;
  /**
   * Nodes and where they are. A cluster begins with them, the same on each; after a node's first start they only say
   * where to find others, and its own entry where it is.
   */
  readonly members: readonly Member[];
  /** For a node with an empty disk that is to join a cluster; `undefined`: it is one of the first. */
  readonly join?: JoinTicket | undefined;
  /** Document groups, beside the system group; fixed when the cluster is made. From 1 to 4096. */
  readonly groups: number;
  readonly timing: Timing;
  readonly limits: Limits;
}

/** The pace of consensus. */
export interface Timing {
  /** Milliseconds of one tick. */
  readonly tickMs: number;
  /** Ticks between a leader's heartbeats. */
  readonly heartbeatTicks: number;
  /** Ticks without a leader until an election; each node draws from [this, twice this). */
  readonly electionTicks: number;
}

/** Failover well under a second without elections by mistake on a busy machine. */
export const DEFAULT_TIMING: Timing = { tickMs: 50, heartbeatTicks: 2, electionTicks: 10 };

export const DEFAULT_GROUPS = 16;

const GROUPS_MAX = 4096;

/** Throws INVALID_ARGUMENT if the configuration cannot work. */
export function checkConfig(config: EngineConfig): void {
  const { cluster, node, groups, timing, limits } = config;
  const members = config.members.map((member) => member.node);
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(cluster)) {
    throw invalid(`cluster name ${JSON.stringify(cluster)}: use 1 to 63 of a-z 0-9 -`);
  }
  for (const id of [node, ...members]) {
    if (!Number.isInteger(id) || id < 1 || id > NODE_ID_MAX) {
      throw invalid(`node id ${id}: use a whole number from 1 to ${NODE_ID_MAX}`);
    }
  }
  if (new Set(members).size !== members.length) {
    throw invalid(`members ${members.join(', ')}: name each node once`);
  }
  if (!Number.isInteger(groups) || groups < 1 || groups > GROUPS_MAX) {
    throw invalid(`groups ${groups}: use a whole number from 1 to ${GROUPS_MAX}`);
  }
  if (timing.tickMs < 1 || timing.heartbeatTicks < 1) {
    throw invalid('tickMs and heartbeatTicks must be at least 1');
  }
  // A heartbeat may wait almost as long for the beat of its node as there is between two.
  if (timing.electionTicks < 2 * timing.heartbeatTicks) {
    throw invalid('electionTicks must be at least twice heartbeatTicks, or leaders fall at once');
  }
  checkFrames(limits, groups);
}

/** More than names and numbers add to what a frame carries. */
const FRAME_OVERHEAD_BYTES = 64 * 1024;
/** More than a group's heartbeat and an answer take in a frame. */
const BEAT_BYTES = 100;

/** A frame that peers refuse is sent again and again, and its group stands still. */
function checkFrames(limits: Limits, groups: number): void {
  const { peerFrameBytesMax } = limits;
  const record = sum(limits, RECORD);
  // A chunk of a snapshot is full once a row fills it; a row of history, or of a session, once a record does.
  const turn = sum(limits, TURN) + record + BEAT_BYTES * (groups + 1);
  const chunk = sum(limits, CHUNK) + record;
  const largest = Math.max(turn, chunk) + FRAME_OVERHEAD_BYTES;
  if (peerFrameBytesMax >= largest) return;
  const others = [...(turn > chunk ? TURN : CHUNK), ...RECORD];
  const last = others.pop();
  throw invalid(
    `peerFrameBytesMax is ${peerFrameBytesMax}, but with the other limits one frame can have ` +
      `${largest} bytes: raise it, or lower ${others.join(', ')} or ${last}`,
  );
}

type LimitName = keyof Limits & string;

/** What a frame with the work of a turn has besides a record. */
const TURN: readonly LimitName[] = ['frameBytesMax', 'appendBytesMax', 'entryBytesMax'];
/** What a frame with a chunk of a snapshot has besides a record. */
const CHUNK: readonly LimitName[] = ['snapshotChunkBytesMax', 'chunkBytesMax'];
const RECORD: readonly LimitName[] = ['payloadBytesMax', 'patchBytesMax', 'replyBytesMax'];

function sum(limits: Limits, names: readonly LimitName[]): number {
  return names.reduce((bytes, name) => bytes + limits[name], 0);
}

function invalid(message: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message);
}
