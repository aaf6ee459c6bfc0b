// What a node finds on its disk when it starts, checked before anything is believed (RAFT.md pitfall 6): the
// node is who it should be, each group's log is whole and fits its rows. Anything else is DATA_CORRUPT: this
// replica must not vote or acknowledge as its old self.

import { DeltabaseError } from '@deltabase/base';
import { EMPTY_HARD_STATE, type Entry, type HardState, votersOnly } from 'raft-ts';
import type { EngineConfig } from '../config.js';
import type { DiskOperation, DiskReader, DiskRow, Random } from '../ports.js';
import { type Task, wait } from '../task.js';
import {
  entryRange,
  groupKey,
  hardStateKey,
  indexOfEntryKey,
  type KeyRange,
  NODE_KEY,
  nodeOfPeerKey,
  peerRange,
  rowsRange,
  sessionOfKey,
  sessionRange,
} from './keys.js';
import type { LogStart } from './log-store.js';
import {
  decodeEntry,
  decodeGroupRow,
  decodeHardState,
  decodeNodeRow,
  encodeGroupRow,
  encodeNodeRow,
  type GroupRow,
  type NodeRow,
} from './rows.js';

/** A group as it stands on disk. */
export interface RecoveredGroup {
  readonly id: number;
  readonly row: GroupRow;
  readonly log: LogStart;
  readonly sessions: readonly StoredSession[];
  /** The highest generation with rows on disk, be they in use or left over. */
  readonly generationsUsed: number;
}

export interface StoredSession {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A node as it stands on disk. */
export interface RecoveredNode {
  readonly row: NodeRow;
  /** Incarnations of the peers this node has listened to. */
  readonly peers: ReadonlyMap<number, number>;
  readonly groups: readonly RecoveredGroup[];
}

const PAGE_BYTES = 4 * 1024 * 1024;

/** Reads the node's rows; `undefined` from an empty disk. Throws NODE_MISMATCH, DATA_CORRUPT. */
export function* recoverNode(
  disk: DiskReader,
  config: EngineConfig,
): Task<RecoveredNode | undefined> {
  const bytes = yield* wait<Uint8Array | undefined>((done) => disk.get(NODE_KEY, done));
  if (bytes === undefined) return undefined;
  const row = decodeNodeRow(bytes);
  checkNode(row, config);
  const peers = new Map<number, number>();
  for (const { key, value } of yield* readAll(disk, peerRange())) {
    peers.set(nodeOfPeerKey(key), decodeIncarnation(value));
  }
  const groups: RecoveredGroup[] = [];
  for (let id = 0; id <= config.groups; id++) groups.push(yield* recoverGroup(disk, id));
  return { row, peers, groups };
}

/** What a new node writes before anything else, and what it is then. */
export function formatNode(
  config: EngineConfig,
  random: Random,
): { readonly operations: readonly DiskOperation[]; readonly node: RecoveredNode } {
  const { cluster, node, groups, members } = config;
  const row: NodeRow = { cluster, node, incarnation: random.next(), groups, members };
  const operations: DiskOperation[] = [{ kind: 'put', key: NODE_KEY, value: encodeNodeRow(row) }];
  const recovered: RecoveredGroup[] = [];
  for (let id = 0; id <= groups; id++) {
    const group = newGroup(id, members);
    operations.push({ kind: 'put', key: groupKey(id), value: encodeGroupRow(group.row) });
    recovered.push(group);
  }
  return { operations, node: { row, peers: new Map(), groups: recovered } };
}

/** The sessions stored for a generation of a group. */
export function* readSessions(
  disk: DiskReader,
  group: number,
  generation: number,
): Task<StoredSession[]> {
  const rows = yield* readAll(disk, sessionRange(group, generation));
  return rows.map(({ key, value }) => ({ name: sessionOfKey(key), bytes: value }));
}

/** The value of a peer row. */
export function encodeIncarnation(incarnation: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, incarnation);
  return bytes;
}

function decodeIncarnation(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
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
    start = behind(rows.at(-1)!.key);
  }
}

function* recoverGroup(disk: DiskReader, id: number): Task<RecoveredGroup> {
  const bytes = yield* wait<Uint8Array | undefined>((done) => disk.get(groupKey(id), done));
  if (bytes === undefined) throw corrupt(id, 'its row is missing');
  const row = decodeGroupRow(bytes);
  const hard = yield* wait<Uint8Array | undefined>((done) => disk.get(hardStateKey(id), done));
  const hardState = hard === undefined ? EMPTY_HARD_STATE : decodeHardState(hard);
  const rows = yield* readAll(disk, entryRange(id, 0, Number.MAX_SAFE_INTEGER));
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
    log: { hardState, snapshot, entries },
    sessions: yield* readSessions(disk, id, row.generation),
    generationsUsed: yield* lastGeneration(disk, id, row.generation),
  };
}

/** Looks for rows of generations beyond the one in use: an attempt at a snapshot left them. */
function* lastGeneration(disk: DiskReader, id: number, inUse: number): Task<number> {
  const range = {
    start: rowsRange(id, inUse).start,
    end: rowsRange(id, 2 ** 32 - 2).end,
    reverse: true,
    rowsMax: 1,
  };
  const rows = yield* wait<readonly DiskRow[]>((done) => disk.range(range, done));
  const key = rows[0]?.key;
  if (key === undefined) return inUse;
  return Math.max(inUse, new DataView(key.buffer, key.byteOffset).getUint32(5));
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
  if (row.groups !== config.groups)
    throw mismatch('a cluster with groups', row.groups, config.groups);
}

function checkLog(
  id: number,
  row: GroupRow,
  hardState: HardState,
  entries: readonly Entry[],
): void {
  const first = entries[0];
  const last = entries.at(-1);
  if (first !== undefined && first.index > row.flushedIndex + 1) {
    throw corrupt(id, `its log begins at ${first.index}, its rows end at ${row.flushedIndex}`);
  }
  for (const [offset, entry] of entries.entries()) {
    if (entry.index !== first!.index + offset) {
      throw corrupt(id, `entry ${first!.index + offset} of its log is missing`);
    }
    if (offset > 0 && entry.term < entries[offset - 1]!.term) {
      throw corrupt(id, `the term goes back at entry ${entry.index} of its log`);
    }
  }
  const end = last?.index ?? row.flushedIndex;
  if (end < row.flushedIndex) throw corrupt(id, 'its log ends before its rows do');
  if (hardState.commit > end) {
    throw corrupt(id, `it has committed ${hardState.commit} and its log ends at ${end}`);
  }
  if ((last?.term ?? row.flushedTerm) > hardState.term) {
    throw corrupt(id, `its log is of term ${last?.term}, its vote of term ${hardState.term}`);
  }
}

function newGroup(id: number, members: readonly number[]): RecoveredGroup {
  const confState = votersOnly(members);
  return {
    id,
    row: { generation: 1, flushedIndex: 0, flushedTerm: 0, confState, time: 0, active: [] },
    log: {
      hardState: EMPTY_HARD_STATE,
      snapshot: { index: 0, term: 0, confState, data: new Uint8Array(0) },
      entries: [],
    },
    sessions: [],
    generationsUsed: 1,
  };
}

function behind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

function corrupt(group: number, what: string): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    `group ${group} is damaged: ${what}; replace this node by a fresh one`,
    { details: { group } },
  );
}
