// Looks into the data of a node that does not run: who it is, how far its groups are, their logs, and the history
// of documents. It only reads, so it needs no more than a DiskReader; nothing here is used by a running node.

import { DeltabaseError } from '@deltabase/base';
import { type DeltaRecord, decodeRecord, groupOf } from '@deltabase/machine';
import { EMPTY_HARD_STATE, type Entry, type HardState } from 'raft-ts';
import { readDeltas } from '../documents/stored-document.js';
import type { DiskReader, DiskRow } from '../ports.js';
import { type Task, wait } from '../task.js';
import { describeEntry } from './describe-entry.js';
import {
  documentPrefix,
  entryRange,
  groupKey,
  hardStateKey,
  indexOfEntryKey,
  NODE_KEY,
} from './keys.js';
import { compactedPlace } from './log-beginning.js';
import { readRecoveryRow } from './recovery.js';
import {
  decodeEntry,
  decodeGroupRow,
  decodeHardState,
  decodeNodeRow,
  type GroupRow,
  type NodeRow,
  type RecoveryRow,
} from './rows.js';

/** A node as its files say. */
export interface StoredNode extends NodeRow {
  /** The lost quorum that it was recovered from, last. */
  readonly recovery: RecoveryRow | undefined;
  /** From the system group 0 on. */
  readonly stored: readonly StoredGroup[];
}

/** A group as its rows say; a commit index on disk may be behind what was committed. */
export interface StoredGroup extends GroupRow {
  readonly group: number;
  readonly hardState: HardState;
  /** The entries of the log, as a node that runs with these files says; the last is before the first if there is none. */
  readonly firstIndex: number;
  readonly lastIndex: number;
}

export interface StoredEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: string;
  readonly bytes: number;
  /** Whether this node is known to have committed it. */
  readonly committed: boolean;
  readonly records: readonly DeltaRecord[];
  readonly summary: string;
}

/** One delta of a document. */
export interface StoredDelta {
  readonly record: DeltaRecord;
  /** Whether this node is known to have committed it. */
  readonly committed: boolean;
}

const PAGE_BYTES = 1024 * 1024;

/** Reads who a node is and how far it has come. Throws INVALID_ARGUMENT if there is no node on `disk`. */
export function* inspectNode(disk: DiskReader): Task<StoredNode> {
  const row = yield* readNodeRow(disk);
  const stored: StoredGroup[] = [];
  for (let group = 0; group <= row.groups; group++) stored.push(yield* readGroup(disk, group));
  return { ...row, recovery: yield* readRecoveryRow(disk), stored };
}

/**
 * Reads entries of a group's log from `fromIndex` on, about a megabyte of them; none behind its end. Throws
 * INVALID_ARGUMENT for a group that there is not.
 */
export function* inspectLog(
  disk: DiskReader,
  group: number,
  fromIndex: number,
): Task<readonly StoredEntry[]> {
  const { groups } = yield* readNodeRow(disk);
  if (group > groups) throw invalid(`there is no group ${group}: groups are 0 to ${groups}`);
  const commit = yield* readCommit(disk, group);
  const compactedIndex = yield* readCompactedIndex(disk, group);
  const entries = yield* readEntries(disk, group, Math.max(fromIndex, compactedIndex + 1));
  return entries.map((entry) => storedEntry(entry, commit));
}

/**
 * Reads the deltas of a document from `fromSeq` on, about a megabyte of them; none behind its end. What is
 * not in document storage yet comes from the log. Throws HISTORY_GONE if `fromSeq` itself is not kept.
 */
export function* inspectHistory(
  disk: DiskReader,
  {
    space,
    key,
    fromSeq,
  }: { readonly space: string; readonly key: string; readonly fromSeq: number },
): Task<readonly StoredDelta[]> {
  const { groups } = yield* readNodeRow(disk);
  const group = groupOf(space, key, groups);
  const { generation, flushedIndex } = yield* readGroupRow(disk, group);
  const prefix = documentPrefix(group, generation, space, key);
  const deltas = yield* readDeltas(disk, prefix, fromSeq, PAGE_BYTES);
  if (deltas.length > 0) {
    return deltas.map((bytes) => ({ record: decodeRecord(bytes), committed: true }));
  }
  const isWanted = (record: DeltaRecord): boolean =>
    record.space === space && record.key === key && record.seq >= fromSeq;
  return yield* readFromLog(disk, group, flushedIndex + 1, isWanted);
}

/** The deltas in the log from `fromIndex` on that are wanted. */
function* readFromLog(
  disk: DiskReader,
  group: number,
  fromIndex: number,
  isWanted: (record: DeltaRecord) => boolean,
): Task<readonly StoredDelta[]> {
  const commit = yield* readCommit(disk, group);
  const found: StoredDelta[] = [];
  for (let next = fromIndex; ; ) {
    const entries = yield* readEntries(disk, group, next);
    if (entries.length === 0) return found;
    for (const entry of entries) {
      const { committed, records } = storedEntry(entry, commit);
      for (const record of records) if (isWanted(record)) found.push({ record, committed });
    }
    next = entries.at(-1)!.index + 1;
  }
}

function* readNodeRow(disk: DiskReader): Task<NodeRow> {
  const bytes = yield* wait<Uint8Array | undefined>((done) => disk.get(NODE_KEY, done));
  if (bytes !== undefined) return decodeNodeRow(bytes);
  throw invalid('there is no node here: name the data directory that a node was started with');
}

function* readGroup(disk: DiskReader, group: number): Task<StoredGroup> {
  const row = yield* readGroupRow(disk, group);
  const hardState = yield* readHardState(disk, group);
  const compactedIndex = yield* readCompactedIndex(disk, group);
  const last = yield* readEndEntry(disk, { group, log: row.log, reverse: true });
  return {
    ...row,
    group,
    hardState,
    firstIndex: compactedIndex + 1,
    lastIndex: Math.max(compactedIndex, last?.index ?? 0),
  };
}

/** The entry right before the first that the log has. */
function* readCompactedIndex(disk: DiskReader, group: number): Task<number> {
  const { log, flushedIndex, flushedTerm } = yield* readGroupRow(disk, group);
  const first = yield* readEndEntry(disk, { group, log, reverse: false });
  return compactedPlace(first, { index: flushedIndex, term: flushedTerm }).index;
}

/** The first entry on disk or, in `reverse`, the last one. */
function* readEndEntry(
  disk: DiskReader,
  {
    group,
    log,
    reverse,
  }: { readonly group: number; readonly log: number; readonly reverse: boolean },
): Task<Entry | undefined> {
  const range = { rowsMax: 1, reverse, ...entryRange(group, 0, Number.MAX_SAFE_INTEGER, log) };
  const [row] = yield* wait<readonly DiskRow[]>((done) => disk.range(range, done));
  return row && decodeEntry(indexOfEntryKey(row.key), row.value);
}

function* readGroupRow(disk: DiskReader, group: number): Task<GroupRow> {
  const bytes = yield* wait<Uint8Array | undefined>((done) => disk.get(groupKey(group), done));
  if (bytes !== undefined) return decodeGroupRow(bytes);
  throw new DeltabaseError('DATA_CORRUPT', `the row of group ${group} is missing`);
}

function* readHardState(disk: DiskReader, group: number): Task<HardState> {
  const bytes = yield* wait<Uint8Array | undefined>((done) => disk.get(hardStateKey(group), done));
  return bytes === undefined ? EMPTY_HARD_STATE : decodeHardState(bytes);
}

/** How far the group is known here to be committed: what is flushed is, too. */
function* readCommit(disk: DiskReader, group: number): Task<number> {
  const { flushedIndex } = yield* readGroupRow(disk, group);
  const { commit } = yield* readHardState(disk, group);
  return Math.max(commit, flushedIndex);
}

function* readEntries(disk: DiskReader, group: number, from: number): Task<readonly Entry[]> {
  const { log } = yield* readGroupRow(disk, group);
  const entries = entryRange(group, from, Number.MAX_SAFE_INTEGER, log);
  const range = { bytesMax: PAGE_BYTES, ...entries };
  const rows = yield* wait<readonly DiskRow[]>((done) => disk.range(range, done));
  return rows.map(({ key, value }) => decodeEntry(indexOfEntryKey(key), value));
}

function storedEntry(entry: Entry, commit: number): StoredEntry {
  const { kind, records, summary } = describeEntry(entry);
  return {
    index: entry.index,
    term: entry.term,
    kind,
    bytes: entry.data.length,
    committed: entry.index <= commit,
    records: records.map(decodeRecord),
    summary,
  };
}

function invalid(message: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message);
}
