// What a node finds on its disk when it starts, checked before anything is believed (docs/raft.md, pitfall 6): the
// node is who it should be, each group's log is whole and fits its rows. Anything else is DATA_CORRUPT: this
// replica must not vote or acknowledge as its old self. (What to do when a quorum is lost for good is in ../recover.)

import { DeltabaseError } from '@deltabase/base';
import { EMPTY_HARD_STATE, type Entry, type HardState, votersOnly } from 'raft-ts';
import type { EngineConfig } from '../config.js';
import { expulsionText } from '../members/member.js';
import type { DiskOperation, DiskReader, DiskRow, Random } from '../ports.js';
import { type Task, wait } from '../task.js';
import {
  ALL_ROWS,
  activeRange,
  entryRange,
  FIRST_GENERATION,
  generationOfRow,
  groupKey,
  hardStateKey,
  indexOfEntryKey,
  type KeyRange,
  keyAfter,
  NODE_KEY,
  nodeOfPeerKey,
  peerRange,
  placeOfSession,
  RECOVERY_KEY,
  rowsRange,
  sessionRange,
  spaceOfKey,
} from './keys.js';
import type { LogStart } from './log-store.js';
import {
  decodeActive,
  decodeEntry,
  decodeGroupRow,
  decodeHardState,
  decodeNodeRow,
  decodePeer,
  decodeRecoveryRow,
  encodeGroupRow,
  encodeNodeRow,
  type GroupRow,
  type NodeRow,
  type RecoveryRow,
} from './rows.js';

/** A group as it stands on disk. */
export interface RecoveredGroup {
  readonly id: number;
  readonly row: GroupRow;
  readonly log: LogStart;
  readonly machine: StoredMachine;
  /** The highest generation with rows on disk, be they in use or left over. */
  readonly generationsUsed: number;
}

/** What of a generation of a group's rows is always in memory. */
export interface StoredMachine {
  /** Rows of sessions, each session's in the order of their parts. */
  readonly sessions: ReadonlyArray<{
    readonly name: string;
    readonly part: number;
    readonly bytes: Uint8Array;
  }>;
  readonly active: ReadonlyArray<{ readonly space: string; readonly version: number }>;
}

/** A node as it stands on disk. */
export interface RecoveredNode {
  readonly row: NodeRow;
  /** Incarnations of the peers this node has listened to. */
  readonly peers: ReadonlyMap<number, number>;
  /** The lost quorum that it was recovered from, last. */
  readonly recovery: RecoveryRow | undefined;
  readonly groups: readonly RecoveredGroup[];
}

const PAGE_BYTES = 4 * 1024 * 1024;
const GENERATIONS_END = 2 ** 32 - 1;

/** Who the node is whose data this is; `undefined` from an empty disk. Throws DATA_CORRUPT. */
export function* readNodeRow(disk: DiskReader): Task<NodeRow | undefined> {
  const bytes = yield* wait<Uint8Array | undefined>((done) => disk.get(NODE_KEY, done));
  if (bytes !== undefined) return decodeNodeRow(bytes);
  yield* checkEmpty(disk);
  return undefined;
}

/**
 * Reads the node's rows; `undefined` from an empty disk. Throws NODE_MISMATCH, NODE_REMOVED, DATA_CORRUPT, and
 * INVALID_ARGUMENT where a node can neither go on nor begin.
 */
export function* recoverNode(
  disk: DiskReader,
  config: EngineConfig,
): Task<RecoveredNode | undefined> {
  const row = yield* readNodeRow(disk);
  if (row === undefined) {
    checkFounder(config);
    return undefined;
  }
  checkNode(row, config);
  if (row.expulsion !== undefined) {
    throw new DeltabaseError('NODE_REMOVED', expulsionText(row.node, row.expulsion));
  }
  const peers = yield* readPeers(disk);
  const recovery = yield* readRecoveryRow(disk);
  const groups: RecoveredGroup[] = [];
  for (let id = 0; id <= config.groups; id++) groups.push(yield* recoverGroup(disk, id));
  return { row, peers, recovery, groups };
}

/** The incarnations of the peers that the node has listened to. Throws DATA_CORRUPT. */
export function* readPeers(disk: DiskReader): Task<Map<number, number>> {
  const rows = yield* readAll(disk, peerRange());
  return new Map(rows.map(({ key, value }) => [nodeOfPeerKey(key), decodePeer(value)]));
}

/** The lost quorum that the data on `disk` was recovered from, last. Throws DATA_CORRUPT. */
export function* readRecoveryRow(disk: DiskReader): Task<RecoveryRow | undefined> {
  const bytes = yield* wait<Uint8Array | undefined>((done) => disk.get(RECOVERY_KEY, done));
  return bytes && decodeRecoveryRow(bytes);
}

/** What a new node writes before anything else, and what it is then. */
export function formatNode(
  config: EngineConfig,
  random: Random,
): { readonly operations: readonly DiskOperation[]; readonly node: RecoveredNode } {
  const { cluster, node, groups, members, join } = config;
  const founders = join?.founders ?? members.map((member) => member.node);
  const clusterId = join?.clusterId ?? '';
  const identity = { cluster, clusterId, node, incarnation: random.next(), groups };
  const row: NodeRow = { ...identity, founders, members, expulsion: undefined };
  const operations: DiskOperation[] = [{ kind: 'put', key: NODE_KEY, value: encodeNodeRow(row) }];
  const recovered: RecoveredGroup[] = [];
  for (let id = 0; id <= groups; id++) {
    const group = newGroup(id, founders);
    operations.push({ kind: 'put', key: groupKey(id), value: encodeGroupRow(group.row) });
    recovered.push(group);
  }
  return { operations, node: { row, peers: new Map(), recovery: undefined, groups: recovered } };
}

/** What is stored of a generation of a group's sessions and active versions. */
export function* readMachine(
  disk: DiskReader,
  group: number,
  generation: number,
): Task<StoredMachine> {
  const sessions = yield* readAll(disk, sessionRange(group, generation));
  const active = yield* readAll(disk, activeRange(group, generation));
  return {
    sessions: sessions.map(({ key, value }) => ({ bytes: value, ...placeOfSession(key) })),
    active: active.map(({ key, value }) => ({
      space: spaceOfKey(key),
      version: decodeActive(value),
    })),
  };
}

/** Without its first row a disk must have none, or a new node would be made on top of a damaged one. */
function* checkEmpty(disk: DiskReader): Task<void> {
  const range = { ...ALL_ROWS, rowsMax: 1 };
  const rows = yield* wait<readonly DiskRow[]>((done) => disk.range(range, done));
  if (rows.length === 0) return;
  throw new DeltabaseError(
    'DATA_CORRUPT',
    'the row that says whose data this is is missing: replace this node by a fresh one with a new id ' +
      '(deltabase cluster replace)',
  );
}

/** The rows of `range`, a page at a time. */
function* readAll(disk: DiskReader, range: KeyRange): Task<DiskRow[]> {
  const all: DiskRow[] = [];
  let { start } = range;
  for (;;) {
    const page = { start, end: range.end, bytesMax: PAGE_BYTES };
    const { rows, more } = yield* wait<{ rows: readonly DiskRow[]; more: boolean }>((done) =>
      disk.range(page, (found, isMore) => done({ rows: found, more: isMore })),
    );
    for (const row of rows) all.push(row);
    if (!more) return all;
    start = keyAfter(rows.at(-1)!.key);
  }
}

/** Where a group stands. Throws DATA_CORRUPT. */
export function* readGroupRows(
  disk: DiskReader,
  id: number,
): Task<Pick<RecoveredGroup, 'row'> & Pick<LogStart, 'hardState'>> {
  const bytes = yield* wait<Uint8Array | undefined>((done) => disk.get(groupKey(id), done));
  if (bytes === undefined) throw corrupt(id, 'its row is missing');
  const row = decodeGroupRow(bytes);
  const hard = yield* wait<Uint8Array | undefined>((done) => disk.get(hardStateKey(id), done));
  return { row, hardState: hard === undefined ? EMPTY_HARD_STATE : decodeHardState(hard) };
}

/** Reads a group whole. Throws DATA_CORRUPT. */
export function* recoverGroup(disk: DiskReader, id: number): Task<RecoveredGroup> {
  const { row, hardState } = yield* readGroupRows(disk, id);
  const rows = yield* readAll(disk, entryRange(id, 0, Number.MAX_SAFE_INTEGER, row.log));
  const entries = rows.map(({ key, value }) => decodeEntry(indexOfEntryKey(key), value));
  checkLog(id, row, hardState, entries);
  const snapshot = {
    index: row.flushedIndex,
    term: row.flushedTerm,
    confState: row.confState,
    data: new Uint8Array(0),
  };
  return {
    id,
    row,
    log: { number: row.log, hardState, snapshot, entries },
    machine: yield* readMachine(disk, id, row.generation),
    generationsUsed: yield* lastGeneration(disk, id, row.generation),
  };
}

/** Looks for rows of generations beyond the one in use: an attempt at a snapshot left them. */
export function* lastGeneration(disk: DiskReader, id: number, inUse: number): Task<number> {
  const range = { ...rowsRange(id, inUse, GENERATIONS_END), reverse: true, rowsMax: 1 };
  const [row] = yield* wait<readonly DiskRow[]>((done) => disk.range(range, done));
  return row === undefined ? inUse : generationOfRow(row.key);
}

/** A node without data is one of the first, or joins. */
function checkFounder({ node, members, join }: EngineConfig): void {
  if (join !== undefined || members.some((member) => member.node === node)) return;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `node ${node} has no data and is not among the first members: add it to them, or have it join a cluster (--join)`,
  );
}

function checkNode(row: NodeRow, config: EngineConfig): void {
  const mismatch = (what: string, stored: unknown, given: unknown): DeltabaseError =>
    new DeltabaseError(
      'NODE_MISMATCH',
      `the data directory is of ${what} ${stored}, the configuration says ${given}: give it the ` +
        'directory it was made with, or an empty one',
    );
  if (row.cluster !== config.cluster) throw mismatch('cluster', row.cluster, config.cluster);
  if (row.node !== config.node) throw mismatch('node', row.node, config.node);
  if (row.groups !== config.groups) {
    throw mismatch('a cluster with groups', row.groups, config.groups);
  }
}

function checkLog(
  id: number,
  row: GroupRow,
  hardState: HardState,
  entries: readonly Entry[],
): void {
  checkEntries(id, entries);
  const first = entries[0];
  if (first !== undefined && first.index > row.flushedIndex + 1) {
    throw corrupt(id, `its log begins at ${first.index}, its rows end at ${row.flushedIndex}`);
  }
  const last = entries.at(-1) ?? { index: row.flushedIndex, term: row.flushedTerm };
  if (last.index < row.flushedIndex) throw corrupt(id, 'its log ends before its rows do');
  if (hardState.commit > last.index) {
    throw corrupt(id, `it has committed ${hardState.commit} and its log ends at ${last.index}`);
  }
  if (last.term > hardState.term) {
    throw corrupt(id, `its log is of term ${last.term}, its vote of term ${hardState.term}`);
  }
  const flushed = first && entries[row.flushedIndex - first.index];
  if (flushed !== undefined && flushed.term !== row.flushedTerm) {
    throw corrupt(id, `its rows are of term ${row.flushedTerm}, its log of term ${flushed.term}`);
  }
}

/** A log has no holes, and terms never go back in it. */
function checkEntries(id: number, entries: readonly Entry[]): void {
  for (const [offset, { index, term }] of entries.entries()) {
    const previous = entries[offset - 1];
    if (previous === undefined) continue;
    if (index !== previous.index + 1) {
      throw corrupt(id, `entry ${previous.index + 1} of its log is missing`);
    }
    if (term < previous.term) {
      throw corrupt(id, `the term goes back at entry ${index} of its log`);
    }
  }
}

function newGroup(id: number, founders: readonly number[]): RecoveredGroup {
  const confState = votersOnly(founders);
  return {
    id,
    row: {
      ...{ generation: FIRST_GENERATION, log: 0 },
      ...{ flushedIndex: 0, flushedTerm: 0, confState, time: 0 },
    },
    log: {
      number: 0,
      hardState: EMPTY_HARD_STATE,
      snapshot: { index: 0, term: 0, confState, data: new Uint8Array(0) },
      entries: [],
    },
    machine: { sessions: [], active: [] },
    generationsUsed: FIRST_GENERATION,
  };
}

function corrupt(group: number, what: string): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    `group ${group} is damaged: ${what}; replace this node by a fresh one with a new id (deltabase cluster replace)`,
    { details: { group } },
  );
}
