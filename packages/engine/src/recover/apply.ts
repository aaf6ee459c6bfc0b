// Makes one data directory the only member of a new cluster (docs/decisions/0009). What there will be is copied first, page
// by page, beside what is in use: what other survivors have more of under the next generation, every group's log under the next
// number. Then one batch switches over that holds a few rows for each group, however long the logs are; so a recovery that is cut
// short has changed nothing that counts, and can be begun again. The logs of before go last; if that is cut short, with the next start.
//
// The new cluster's id is what keeps everybody of before away. Logs begin right behind what is flushed, and what changes of
// members are in them become empty entries: each group has one configuration from here on, which is the new member alone.

import { assert } from '@deltabase/base';
import { votersOnly } from 'raft-ts';
import type { Disk, DiskOperation, DiskReader, DiskRow, NodeId, Random } from '../ports.js';
import { removeRows } from '../storage/cleanup.js';
import {
  entryKey,
  entryRange,
  groupKey,
  hardStateKey,
  indexOfEntryKey,
  type KeyRange,
  keyAfter,
  LOGS_MAX,
  logsRange,
  NODE_KEY,
  peerKey,
  RECOVERY_KEY,
  rowKey,
  rowSuffix,
  rowsRange,
} from '../storage/keys.js';
import { lastGeneration, readGroupRows, readNodeRow, readPeers } from '../storage/recovery.js';
import {
  decodeEntry,
  encodeEntry,
  encodeGroupRow,
  encodeHardState,
  encodeNodeRow,
  encodeRecoveryRow,
  type RecoveryRow,
} from '../storage/rows.js';
import { type Task, wait } from '../task.js';
import type { GroupPlan, RecoveryPlan } from './plan.js';

export interface RecoveryOptions {
  /** The directory that goes on. */
  readonly disk: Disk;
  /** Those of the other survivors. */
  readonly others: ReadonlyMap<NodeId, DiskReader>;
  readonly random: Random;
  /** When this is done, ms since 1970. */
  readonly timeMs: number;
  /** Rows of a group are being copied. */
  readonly copying?: (group: number, from: NodeId) => void;
}

const PAGE_BYTES = 1024 * 1024;

/** Does what was planned; what it says is on disk when it is done. */
export function* applyRecovery(plan: RecoveryPlan, options: RecoveryOptions): Task<RecoveryRow> {
  const { disk, random, timeMs } = options;
  const before = yield* readNodeRow(disk);
  assert(before?.node === plan.node, 'the plan is for this directory');
  const taken = plan.groups.map(({ from }) => from).filter((from) => from !== plan.node);
  const { formerId, node, givenUp } = plan;
  const clusterId = hex(random.next()) + hex(random.next());
  const takenFrom = [...new Set(taken)].sort((a, b) => a - b);
  const recovery: RecoveryRow = { clusterId, formerId, node, takenFrom, givenUp, timeMs };
  const operations: DiskOperation[] = [];
  for (const group of plan.groups) {
    for (const operation of yield* switchGroup(group, plan, options)) operations.push(operation);
  }
  for (const peer of (yield* readPeers(disk)).keys()) {
    operations.push({ kind: 'del', key: peerKey(peer) });
  }
  const row = {
    ...before,
    clusterId,
    incarnation: random.next(),
    founders: [node],
    members: before.members.filter((member) => member.node === node),
  };
  operations.push({ kind: 'put', key: RECOVERY_KEY, value: encodeRecoveryRow(recovery) });
  operations.push({ kind: 'put', key: NODE_KEY, value: encodeNodeRow(row) });
  yield* wait<void>((done) => disk.write(operations, () => done()));
  for (const { group } of plan.groups) {
    const { row: inUse } = yield* readGroupRows(disk, group);
    yield* remove(disk, logsRange(group, 0, inUse.log));
  }
  return recovery;
}

/** Has the planned copy of a group be there, and gives what makes it the one that counts. */
function* switchGroup(
  { group, from, term }: GroupPlan,
  { node }: RecoveryPlan,
  { disk, others, copying }: RecoveryOptions,
): Task<DiskOperation[]> {
  const { row: own } = yield* readGroupRows(disk, group);
  const source = from === node ? disk : others.get(from);
  assert(source !== undefined, 'what is taken from is there');
  const { row: copy, hardState } = yield* readGroupRows(source, group);
  let { generation } = own;
  if (from !== node) {
    copying?.(group, from);
    generation = (yield* lastGeneration(disk, group, generation)) + 1;
    yield* copyRows(source, disk, { group, from: copy.generation, to: generation });
  }
  const log = own.log + 1;
  // What an earlier attempt left may be of another survivor.
  yield* remove(disk, logsRange(group, log, LOGS_MAX));
  yield* copyLog(source, disk, { group, from: copy.log, to: log, behind: copy.flushedIndex });
  const row = { ...copy, generation, log, confState: votersOnly([node]) };
  const state = { term, vote: 0, commit: hardState.commit };
  return [
    { kind: 'put', key: groupKey(group), value: encodeGroupRow(row) },
    { kind: 'put', key: hardStateKey(group), value: encodeHardState(state) },
  ];
}

/** Copies the entries behind an index. Those that change the configuration keep their place, with nothing in it. */
function* copyLog(
  from: DiskReader,
  to: Disk,
  logs: { readonly group: number; readonly from: number; readonly to: number; behind: number },
): Task<void> {
  const { group, behind } = logs;
  const range = entryRange(group, behind + 1, Number.MAX_SAFE_INTEGER, logs.from);
  yield* copy(from, to, range, ({ key, value }) => {
    const index = indexOfEntryKey(key);
    const entry = decodeEntry(index, value);
    const isKept = entry.type === 'normal';
    const kept = isKept
      ? value
      : encodeEntry({ index, term: entry.term, type: 'normal', data: new Uint8Array(0) });
    return { key: entryKey(group, index, logs.to), value: kept };
  });
}

function* copyRows(
  from: DiskReader,
  to: Disk,
  generations: { readonly group: number; readonly from: number; readonly to: number },
): Task<void> {
  const { group } = generations;
  const range = rowsRange(group, generations.from, generations.from + 1);
  yield* copy(from, to, range, ({ key, value }) => {
    return { key: rowKey(group, generations.to, rowSuffix(key)), value };
  });
}

/** Writes what `made` makes of each row in a range, a page at a time. */
function* copy(
  from: DiskReader,
  to: Disk,
  { start, end }: KeyRange,
  made: (row: DiskRow) => DiskRow,
): Task<void> {
  for (let next = start; ; ) {
    const page = { start: next, end, bytesMax: PAGE_BYTES };
    const { rows, more } = yield* wait<{ rows: readonly DiskRow[]; more: boolean }>((done) =>
      from.range(page, (found, isMore) => done({ rows: found, more: isMore })),
    );
    const operations = rows.map((row): DiskOperation => ({ kind: 'put', ...made(row) }));
    if (rows.length > 0) yield* wait<void>((done) => to.write(operations, () => done()));
    if (!more) return;
    next = keyAfter(rows.at(-1)!.key);
  }
}

function remove(disk: Disk, range: KeyRange): Task<void> {
  return removeRows(disk, range, (operations, done) => disk.write(operations, done));
}

function hex(bits: number): string {
  return bits.toString(16).padStart(8, '0');
}
