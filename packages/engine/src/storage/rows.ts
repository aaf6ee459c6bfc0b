// The values of a node's own rows (keys.ts says where they stand): version byte or field first, golden bytes
// in tests. Each decoder throws DATA_CORRUPT for what it does not know.

import { DeltabaseError, pack, unpack } from '@deltabase/base';
import type { ConfState, Entry, HardState } from 'raft-ts';
import type { Expulsion, Member, Recovery } from '../members/member.js';

/** Who this node is, and what it must know of others before it has heard of any. */
export interface NodeRow {
  readonly cluster: string;
  /** Drawn when the cluster was made, or recovered; empty: this node has not heard of it yet. */
  readonly clusterId: string;
  readonly node: number;
  /** Drawn at random when the directory was made: a node that lost its data is another one. */
  readonly incarnation: number;
  readonly groups: number;
  /** The voters that the logs of all groups begin with. */
  readonly founders: readonly number[];
  /** Where the nodes of the cluster are, as last heard. */
  readonly members: readonly Member[];
  /** Why this node is not one of the cluster any more. */
  readonly expulsion: Expulsion | undefined;
}

/** Says that the cluster of this id is what a recovery made of another one, in this data directory. */
export interface RecoveryRow extends Recovery {
  readonly clusterId: string;
}

/** Where a group's state machine stands on disk. Written with every flush. */
export interface GroupRow {
  /** The generation of the state machine's rows. */
  readonly generation: number;
  /** The number of the log: 0 until the directory is recovered. */
  readonly log: number;
  /** Everything up to this entry is in the rows; the log before it may be gone. */
  readonly flushedIndex: number;
  readonly flushedTerm: number;
  readonly confState: ConfState;
  /** The latest delta time of the group, ms since 1970. */
  readonly time: number;
}

const NODE_VERSION = 3;
const GROUP_VERSION = 1;
/** The same, and the number of the log behind it. */
const GROUP_VERSION_NUMBERED = 2;
const HARD_STATE_VERSION = 1;
const ACTIVE_VERSION = 1;
const PEER_VERSION = 1;
const RECOVERY_VERSION = 1;
const ENTRY_NORMAL = 1;
const ENTRY_CONF_CHANGE = 2;
const ENTRY_HEADER_BYTES = 9;

export function encodeNodeRow(row: NodeRow): Uint8Array {
  const { cluster, clusterId, node, incarnation, groups, founders, members, expulsion } = row;
  const places = members.map((member) => [member.node, member.peerAddress, member.clientAddress]);
  const head = [NODE_VERSION, cluster, clusterId, node, incarnation, groups];
  return pack([...head, founders, places, expulsion ?? '']);
}

export function decodeNodeRow(bytes: Uint8Array): NodeRow {
  const row = fields(bytes, NODE_VERSION, { count: 9, what: 'node row' });
  const [, cluster, clusterId, node, incarnation, groups, founders, places, expulsion] = row;
  if (!Array.isArray(places) || !places.every(Array.isArray)) throw unknownForm('node row');
  const members = places.map(
    ([id, peerAddress, clientAddress]): Member => ({ node: id, peerAddress, clientAddress }),
  );
  const head = { cluster, clusterId, node, incarnation, groups, founders };
  return { ...head, members, expulsion: expulsion || undefined };
}

export function encodeRecoveryRow(row: RecoveryRow): Uint8Array {
  const { clusterId, formerId, node, takenFrom, givenUp, timeMs } = row;
  return pack([RECOVERY_VERSION, clusterId, formerId, node, takenFrom, givenUp, timeMs]);
}

export function decodeRecoveryRow(bytes: Uint8Array): RecoveryRow {
  const row = fields(bytes, RECOVERY_VERSION, { count: 7, what: 'recovery row' });
  const [, clusterId, formerId, node, takenFrom, givenUp, timeMs] = row;
  return { clusterId, formerId, node, takenFrom, givenUp, timeMs };
}

export function encodeGroupRow(row: GroupRow): Uint8Array {
  const { generation, log, flushedIndex, flushedTerm, confState, time } = row;
  const fields = [generation, flushedIndex, flushedTerm, encodeConfState(confState), time];
  return pack(log === 0 ? [GROUP_VERSION, ...fields] : [GROUP_VERSION_NUMBERED, ...fields, log]);
}

export function decodeGroupRow(bytes: Uint8Array): GroupRow {
  const f = groupFields(bytes);
  return {
    generation: f[1],
    log: f[6] ?? 0,
    flushedIndex: f[2],
    flushedTerm: f[3],
    confState: decodeConfState(f[4]),
    time: f[5],
  };
}

/** The active version of a space's machine. */
export function encodeActive(version: number): Uint8Array {
  return pack([ACTIVE_VERSION, version]);
}

export function decodeActive(bytes: Uint8Array): number {
  return fields(bytes, ACTIVE_VERSION, { count: 2, what: 'active version' })[1];
}

/** The incarnation under which a peer is listened to. */
export function encodePeer(incarnation: number): Uint8Array {
  return pack([PEER_VERSION, incarnation]);
}

export function decodePeer(bytes: Uint8Array): number {
  return fields(bytes, PEER_VERSION, { count: 2, what: 'peer row' })[1];
}

/** A configuration as plain lists, for rows and frames. */
export function encodeConfState(conf: ConfState): unknown[] {
  return [conf.voters, conf.votersOutgoing, conf.learners, conf.learnersNext, conf.autoLeave];
}

export function decodeConfState(lists: unknown): ConfState {
  if (!Array.isArray(lists) || lists.length !== 5) throw unknownForm('configuration');
  const [voters, votersOutgoing, learners, learnersNext, autoLeave] = lists as [
    number[],
    number[],
    number[],
    number[],
    boolean,
  ];
  return { voters, votersOutgoing, learners, learnersNext, autoLeave };
}

export function encodeHardState(state: HardState): Uint8Array {
  return pack([HARD_STATE_VERSION, state.term, state.vote, state.commit]);
}

export function decodeHardState(bytes: Uint8Array): HardState {
  const row = fields(bytes, HARD_STATE_VERSION, { count: 4, what: 'hard state' });
  const [, term, vote, commit] = row;
  return { term, vote, commit };
}

/** Type byte, term (8 bytes, big-endian), data to the end. */
export function encodeEntry(entry: Entry): Uint8Array {
  const bytes = new Uint8Array(ENTRY_HEADER_BYTES + entry.data.length);
  bytes[0] = entry.type === 'normal' ? ENTRY_NORMAL : ENTRY_CONF_CHANGE;
  const view = new DataView(bytes.buffer);
  view.setUint32(1, Math.floor(entry.term / 2 ** 32));
  view.setUint32(5, entry.term >>> 0);
  bytes.set(entry.data, ENTRY_HEADER_BYTES);
  return bytes;
}

export function decodeEntry(index: number, bytes: Uint8Array): Entry {
  const kind = bytes[0];
  if (bytes.length < ENTRY_HEADER_BYTES || (kind !== ENTRY_NORMAL && kind !== ENTRY_CONF_CHANGE)) {
    throw unknownForm(`log entry ${index}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    term: view.getUint32(1) * 2 ** 32 + view.getUint32(5),
    index,
    type: kind === ENTRY_NORMAL ? 'normal' : 'confChange',
    data: bytes.subarray(ENTRY_HEADER_BYTES),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: as for `fields`.
function groupFields(bytes: Uint8Array): any[] {
  const value = unpack(bytes);
  const isNumbered = Array.isArray(value) && value[0] === GROUP_VERSION_NUMBERED;
  const [version, count] = isNumbered ? [GROUP_VERSION_NUMBERED, 7] : [GROUP_VERSION, 6];
  return fields(bytes, version, { count, what: 'group row' });
}

function fields(
  bytes: Uint8Array,
  version: number,
  { count, what }: { readonly count: number; readonly what: string },
  // biome-ignore lint/suspicious/noExplicitAny: the row's checksum and version vouch for its fields.
): any[] {
  const value = unpack(bytes);
  const isKnown = Array.isArray(value) && value[0] === version && value.length === count;
  if (!isKnown) throw unknownForm(what);
  return value;
}

function unknownForm(what: string): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    `the ${what} has an unknown version or form: it may have been written by another release`,
  );
}
