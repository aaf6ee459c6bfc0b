// What a data directory that outlived its cluster's quorum holds, as a recovery needs to know it: whose it is, and how
// far each group got there. Reading it checks it as a start does.

import { DeltabaseError } from '@deltabase/base';
import { type ConfState, changeConf, decodeConfChange, isRaftError, nodesOf } from 'raft-ts';
import { expulsionText } from '../members/member.js';
import type { DiskReader, NodeId } from '../ports.js';
import { type RecoveredGroup, readNodeRow, recoverGroup } from '../storage/recovery.js';
import type { NodeRow } from '../storage/rows.js';
import type { Task } from '../task.js';

export interface Survivor {
  readonly row: NodeRow;
  /** From the system group 0 on. */
  readonly groups: readonly SurvivingGroup[];
}

/** How far a group got in one directory. */
export interface SurvivingGroup {
  readonly group: number;
  /** The latest term that the node has heard of. */
  readonly term: number;
  readonly lastTerm: number;
  readonly lastIndex: number;
  /** Known there to be committed; more may have been. */
  readonly commit: number;
  /** The configuration that was in force there. */
  readonly conf: ConfState;
  /** Every node that is in it, or comes with a change in the log behind it. */
  readonly named: readonly NodeId[];
}

/** Reads the directory. Throws DATA_CORRUPT, INVALID_ARGUMENT if there is no node, NODE_REMOVED if it was expelled. */
export function* readSurvivor(disk: DiskReader): Task<Survivor> {
  const row = yield* readNodeRow(disk);
  if (row === undefined) {
    throw new DeltabaseError('INVALID_ARGUMENT', 'there is no node here: name its data directory');
  }
  if (row.expulsion !== undefined) {
    throw new DeltabaseError('NODE_REMOVED', expulsionText(row.node, row.expulsion));
  }
  const groups: SurvivingGroup[] = [];
  for (let id = 0; id <= row.groups; id++) groups.push(groupOf(yield* recoverGroup(disk, id)));
  return { row, groups };
}

/** Whether `a` has all that `b` may have committed: the rule by which voters choose leaders (Raft §5.4.1). */
export function isUpToDate(a: SurvivingGroup, b: SurvivingGroup): boolean {
  return a.lastTerm === b.lastTerm ? a.lastIndex >= b.lastIndex : a.lastTerm > b.lastTerm;
}

function groupOf(recovered: RecoveredGroup): SurvivingGroup {
  const { id, row, log } = recovered;
  const commit = Math.max(log.hardState.commit, row.flushedIndex);
  const last = log.entries.at(-1) ?? { index: row.flushedIndex, term: row.flushedTerm };
  const confs = configurationsOf(recovered);
  return {
    group: id,
    term: log.hardState.term,
    lastTerm: last.term,
    lastIndex: last.index,
    commit,
    conf: confs.findLast(({ index }) => index <= commit)!.conf,
    named: [...new Set(confs.flatMap(({ conf }) => nodesOf(conf)))],
  };
}

/** The configuration of what is flushed, and each that an entry of the log behind it makes. */
function configurationsOf({ row, log }: RecoveredGroup): { index: number; conf: ConfState }[] {
  const confs = [{ index: row.flushedIndex, conf: row.confState }];
  for (const { index, type, data } of log.entries) {
    if (type !== 'confChange' || index <= row.flushedIndex) continue;
    try {
      confs.push({ index, conf: changeConf(confs.at(-1)!.conf, decodeConfChange(data)) });
    } catch (thrown) {
      // It does not fit, and a running node leaves it out, too.
      if (!isRaftError(thrown, 'ConfChangeInvalid')) throw thrown;
    }
  }
  return confs;
}
