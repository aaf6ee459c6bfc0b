// Makes one data directory the only member of a new cluster (docs/decisions/0009). What other survivors have more of is
// copied first, beside what is in use; then one batch switches over, so that a recovery that is cut short has changed
// nothing that counts, and can be begun again.
//
// The new cluster's id is what keeps everybody of before away. Logs begin right behind what is flushed, and what changes of
// members are in them become empty entries: each group has one configuration from here on, which is the new member alone.

import { assert } from '@deltabase/base';
import { type Entry, votersOnly } from 'raft-ts';
import type { Disk, DiskOperation, DiskReader, DiskRow, NodeId, Random } from '../ports.js';
import {
  entryKey,
  groupKey,
  hardStateKey,
  keyAfter,
  NODE_KEY,
  peerKey,
  RECOVERY_KEY,
  rowKey,
  rowSuffix,
  rowsRange,
} from '../storage/keys.js';
import { type RecoveredGroup, readNodeRow, readPeers, recoverGroup } from '../storage/recovery.js';
import {
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
  return recovery;
}

/** Has the planned copy of a group be there, and gives what makes it the one that counts. */
function* switchGroup(
  { group, from, term }: GroupPlan,
  { node }: RecoveryPlan,
  { disk, others, copying }: RecoveryOptions,
): Task<DiskOperation[]> {
  const own = yield* recoverGroup(disk, group);
  if (from === node) return takeOver(own, own, { term, node, generation: own.row.generation });
  const other = others.get(from);
  assert(other !== undefined, 'what is taken from is there');
  copying?.(group, from);
  const copy = yield* recoverGroup(other, group);
  const generation = own.generationsUsed + 1;
  yield* copyRows(other, disk, { group, from: copy.row.generation, to: generation });
  return takeOver(own, copy, { term, node, generation });
}

/** What puts `copy`, with its rows under `generation`, in the place of `own`, and `node` alone in charge of it. */
function takeOver(
  own: RecoveredGroup,
  copy: RecoveredGroup,
  options: { readonly term: number; readonly node: NodeId; readonly generation: number },
): DiskOperation[] {
  const { term, node, generation } = options;
  const { id: group } = own;
  const { flushedIndex } = copy.row;
  const row = { ...copy.row, generation, confState: votersOnly([node]) };
  const hardState = { term, vote: 0, commit: copy.log.hardState.commit };
  const operations: DiskOperation[] = [
    { kind: 'put', key: groupKey(group), value: encodeGroupRow(row) },
    { kind: 'put', key: hardStateKey(group), value: encodeHardState(hardState) },
  ];
  const kept = copy.log.entries.filter(({ index }) => index > flushedIndex);
  const end = flushedIndex + kept.length;
  for (const { index } of own.log.entries) {
    if (index <= flushedIndex || index > end) {
      operations.push({ kind: 'del', key: entryKey(group, index) });
    }
  }
  for (const entry of kept) {
    if (copy === own && entry.type === 'normal') continue;
    const value = encodeEntry(entry.type === 'normal' ? entry : emptied(entry));
    operations.push({ kind: 'put', key: entryKey(group, entry.index), value });
  }
  return operations;
}

function* copyRows(
  from: DiskReader,
  to: Disk,
  generations: { readonly group: number; readonly from: number; readonly to: number },
): Task<void> {
  const { group } = generations;
  const { end, ...range } = rowsRange(group, generations.from, generations.from + 1);
  for (let { start } = range; ; ) {
    const page = { start, end, bytesMax: PAGE_BYTES };
    const { rows, more } = yield* wait<{ rows: readonly DiskRow[]; more: boolean }>((done) =>
      from.range(page, (found, isMore) => done({ rows: found, more: isMore })),
    );
    const operations = rows.map(({ key, value }): DiskOperation => {
      return { kind: 'put', key: rowKey(group, generations.to, rowSuffix(key)), value };
    });
    if (rows.length > 0) yield* wait<void>((done) => to.write(operations, () => done()));
    if (!more) return;
    start = keyAfter(rows.at(-1)!.key);
  }
}

/** The same place in the log, and nothing in it. */
function emptied({ index, term }: Entry): Entry {
  return { index, term, type: 'normal', data: new Uint8Array(0) };
}

function hex(bits: number): string {
  return bits.toString(16).padStart(8, '0');
}
