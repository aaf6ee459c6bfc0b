// A recovery of a node of a simulated cluster, as `deltabase recover` does it on files.

import { makePrng } from '@deltabase/base';
import {
  applyRecovery,
  type NodeId,
  planRecovery,
  type RecoveryPlan,
  type RecoveryRow,
  readSurvivor,
} from '@deltabase/engine';
import { type Cluster, MemoryDisk } from '@deltabase/testkit';
import { resultOf } from './disk.js';

export const RECOVERED_AT = 1_700_000_000_000;

/** Recovers the first of the survivors, none of which may run. */
export function recoverNode(
  cluster: Pick<Cluster, 'rows' | 'replaceRows' | 'lifeOf'>,
  survivors: readonly NodeId[],
): { plan: RecoveryPlan; recovery: RecoveryRow } {
  const disks = survivors.map((id) => {
    return new MemoryDisk({ later: (_kind, run) => run() }, cluster.rows(id));
  });
  const [target, ...others] = disks;
  const plan = planRecovery(disks.map((disk) => resultOf(readSurvivor(disk))));
  const recovery = resultOf(
    applyRecovery(plan, {
      disk: target!,
      others: new Map(others.map((disk, at) => [survivors[at + 1]!, disk])),
      // No two recoveries make the same cluster.
      random: makePrng(1000 * survivors[0]! + cluster.lifeOf(survivors[0]!)),
      timeMs: RECOVERED_AT,
    }),
  );
  cluster.replaceRows(survivors[0]!, target!.durable);
  return { plan, recovery };
}
