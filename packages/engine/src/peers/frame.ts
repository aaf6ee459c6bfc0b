// One frame is all that a node tells another in a turn. It opens with who speaks: the cluster by its name and its id,
// whom it was founded by, and the sender's incarnation, so that a node of another cluster, or one that lost its disk
// and came back under its old id, is not listened to (docs/raft.md, pitfall 7). msgpack; docs/wire-formats.md describes it.

import { pack, unpack } from '@deltabase/base';
import { nameHash } from '@deltabase/machine';
import type { ConfState } from 'raft-ts';
import type { Expulsion, ExpulsionNotice } from '../members/member.js';
import type { NodeId } from '../ports.js';
import { encodeConfState } from '../storage/rows.js';
import { Fields, malformed } from './fields.js';

/** Who a frame is from. */
export interface FrameHeader {
  readonly cluster: string;
  /** Empty until the node has heard of it, which takes a new cluster some moments. */
  readonly clusterId: string;
  /** Document groups of the cluster: nodes that differ in it disagree about where documents are. */
  readonly groups: number;
  /** `foundersDigest` of the cluster's first members: nodes that differ in it count different quorums. */
  readonly founders: number;
  readonly incarnation: number;
}

/** 32 bits that tell lists of first members apart, whatever their order. */
export function foundersDigest(members: readonly NodeId[]): number {
  return nameHash('', [...members].sort((a, b) => a - b).join());
}

/** What nodes tell each other beside Raft's messages. Each kind is a list of fixed order in the frame. */
export interface FrameParts {
  /** Raft messages, as raft-codec.ts makes them. */
  readonly raft: unknown[][];
  /** Heartbeats and answers to them, as beat-codec.ts makes them. */
  readonly heartbeats: number[];
  readonly heartbeatResponses: number[];
  /** Messages passed on to the leader of their group, and the answers to them. */
  readonly forwards: unknown[][];
  readonly answers: unknown[][];
  /** For the leader of the system group: how far groups are with changes of the members (standings.ts). */
  readonly standings: unknown[][];
}

/** What a node says of itself with every frame. */
export interface Presence {
  /** 32 bits drawn when it started: with others it has forgotten whatever is not on its disk. */
  readonly life: number;
  /** It is not to be made a leader: it stops, or its disk does not answer. */
  readonly abstains: boolean;
  /** Somebody waits there for commits, so they are to be told at once. */
  readonly isWatched: boolean;
  /** Its wall clock, ms since 1970. */
  readonly wallMs: number;
  /** Says that the receiver is not one of the cluster any more. */
  readonly notice: ExpulsionNotice | undefined;
}

/** A frame with its header checked; the elements of the lists are as they came. */
export interface Frame extends FrameHeader, Presence {
  readonly raft: readonly unknown[];
  readonly heartbeats: readonly unknown[];
  readonly heartbeatResponses: readonly unknown[];
  readonly forwards: readonly unknown[];
  readonly answers: readonly unknown[];
  readonly standings: readonly unknown[];
}

const FRAME_VERSION = 8;
/** Expulsions by their numbers in frames. */
const EXPULSIONS: readonly Expulsion[] = ['removed', 'lost', 'left-behind'];

export function emptyParts(): FrameParts {
  const beat = { heartbeats: [], heartbeatResponses: [] };
  return { raft: [], ...beat, forwards: [], answers: [], standings: [] };
}

export function encodeFrame(
  header: FrameHeader,
  { life, abstains, isWatched, wallMs, notice }: Presence,
  { raft, heartbeats, heartbeatResponses, forwards, answers, standings }: FrameParts,
): Uint8Array {
  const told = notice && [EXPULSIONS.indexOf(notice.expulsion), notice.clusterId];
  const presence = [life, abstains, isWatched, wallMs, told ?? null];
  const lists = [raft, heartbeats, heartbeatResponses, forwards, answers, standings];
  return pack([...headOf(header), ...presence, ...lists]);
}

/** The frame in `bytes`. Throws DATA_CORRUPT if it is not one of a version known here. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const fields = new Fields(unpack(bytes));
  const header = readHead(fields);
  const frame = {
    life: fields.whole(),
    abstains: fields.flag(),
    isWatched: fields.flag(),
    wallMs: fields.whole(),
    notice: readNotice(fields.maybeNested()),
    raft: fields.list(),
    heartbeats: fields.list(),
    heartbeatResponses: fields.list(),
    forwards: fields.list(),
    answers: fields.list(),
    standings: fields.list(),
    ...header,
  };
  fields.end();
  return frame;
}

/** A receiver asks for the next rows of a snapshot, or a sender gives them. Frames of the bulk lane. */
export type BulkFrame = FrameHeader & (Pull | Chunk);

interface Pull {
  readonly kind: 'pull';
  readonly group: number;
  /** Chosen by the receiver; one for each attempt. */
  readonly transfer: number;
  /** The last row it has, as a suffix (keys.ts); empty at the beginning. */
  readonly after: Uint8Array;
}

interface Chunk {
  readonly kind: 'chunk';
  readonly group: number;
  readonly transfer: number;
  readonly after: Uint8Array;
  /** Rows as [suffix, value, suffix, value, ...]. */
  readonly rows: readonly Uint8Array[];
  /** With the last chunk: where the rows stand. */
  readonly end: SnapshotEnd | undefined;
}

/** The position of a group's rows, and what else of the group row a receiver needs. */
export interface SnapshotEnd {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  readonly time: number;
}

const KIND_PULL = 1;
const KIND_CHUNK = 2;

export function encodeBulkFrame(frame: BulkFrame): Uint8Array {
  const { group, transfer, after } = frame;
  const head = headOf(frame);
  if (frame.kind === 'pull') return pack([...head, KIND_PULL, group, transfer, after]);
  const { rows, end } = frame;
  const position = end && [end.index, end.term, encodeConfState(end.confState), end.time];
  return pack([...head, KIND_CHUNK, group, transfer, after, rows, position ?? null]);
}

/** The frame in `bytes`. Throws DATA_CORRUPT if it is not one of a version known here. */
export function decodeBulkFrame(bytes: Uint8Array): BulkFrame {
  const fields = new Fields(unpack(bytes));
  const header = readHead(fields);
  const kind = fields.whole();
  const transfer = { group: fields.whole(), transfer: fields.whole(), after: fields.bytes() };
  if (kind === KIND_PULL) {
    fields.end();
    return { kind: 'pull', ...header, ...transfer };
  }
  if (kind !== KIND_CHUNK) throw malformed();
  const rows = readRows(fields.nested());
  const end = readEnd(fields.maybeNested());
  fields.end();
  // Without rows the receiver would not know what to ask for next.
  if (rows.length === 0 && end === undefined) throw malformed();
  return { kind: 'chunk', rows, end, ...header, ...transfer };
}

/** A configuration as `encodeConfState` makes it. */
export function readConfState(fields: Fields): ConfState {
  const conf = {
    voters: fields.wholes(),
    votersOutgoing: fields.wholes(),
    learners: fields.wholes(),
    learnersNext: fields.wholes(),
    autoLeave: fields.flag(),
  };
  fields.end();
  return conf;
}

function headOf({ cluster, clusterId, groups, founders, incarnation }: FrameHeader): unknown[] {
  return [FRAME_VERSION, cluster, clusterId, groups, founders, incarnation];
}

function readHead(fields: Fields): FrameHeader {
  if (fields.any() !== FRAME_VERSION) throw malformed();
  return {
    cluster: fields.text(),
    clusterId: fields.text(),
    groups: fields.whole(),
    founders: fields.whole(),
    incarnation: fields.whole(),
  };
}

function readNotice(fields: Fields | undefined): ExpulsionNotice | undefined {
  if (fields === undefined) return undefined;
  const expulsion = EXPULSIONS[fields.whole()];
  const clusterId = fields.text();
  fields.end();
  if (expulsion === undefined) throw malformed();
  return { expulsion, clusterId };
}

function readRows(fields: Fields): Uint8Array[] {
  const rows: Uint8Array[] = [];
  if (fields.left % 2 !== 0) throw malformed();
  while (fields.left > 0) rows.push(fields.bytes());
  return rows;
}

function readEnd(fields: Fields | undefined): SnapshotEnd | undefined {
  if (fields === undefined) return undefined;
  const end = {
    index: fields.whole(),
    term: fields.whole(),
    confState: readConfState(fields.nested()),
    time: fields.whole(),
  };
  fields.end();
  return end;
}
