// A recovery on data directories: looked at without a change, or done. What is decided and written is the engine's
// (packages/engine/src/recover).

import { randomInt } from 'node:crypto';
import type { DeltabaseError } from '@deltabase/base';
import { openDataDir } from '@deltabase/driver-level';
import {
  applyRecovery,
  checkGivenUp,
  type Member,
  planRecovery,
  type RecoveryPlan,
  type RecoveryRow,
  readSurvivor,
  type Survivor,
  type Task,
} from '@deltabase/engine';
import { type OfflineData, runToEnd, storeFiles, withOfflineData } from './open-data.js';

export interface Directories {
  /** The one that goes on. */
  readonly target: string;
  /** Those of other survivors. */
  readonly others: readonly string[];
}

/** What there is, and what would be done. */
export interface Prospect {
  readonly survivors: readonly Survivor[];
  readonly plan: RecoveryPlan;
}

/** Says what a recovery would do, and changes nothing. Throws what the engine throws, and `withOfflineData`. */
export function lookAtRecovery(
  { target, others }: Directories,
  signal: AbortSignal,
): Promise<Prospect> {
  return withAll([target, ...others], signal, async (data) => prospectOf(await readAll(data)));
}

export interface RecoverOptions {
  readonly giveUp: readonly number[];
  readonly signal: AbortSignal;
  /** Looks at nodes that would be given up, before anything is written. Rejects if one is not lost. */
  readonly checkLost: (prospect: Prospect, lost: readonly Member[]) => Promise<void>;
  readonly progress: (line: string) => void;
}

/** Does it. Rejects with INVALID_ARGUMENT unless `giveUp` names what is given up; then nothing was changed. */
export async function recoverData(
  { target, others }: Directories,
  options: RecoverOptions,
): Promise<Prospect & { readonly recovery: RecoveryRow }> {
  // LevelDB would make a store where there is none.
  await storeFiles(target);
  return withAll(others, options.signal, (data) => withTarget(target, data, options));
}

/** Members that would be given up, where a survivor knows them to be. */
export function placesOfLost({ survivors, plan }: Prospect): Member[] {
  const places = new Map<number, Member>();
  for (const { row } of survivors) {
    for (const member of row.members) {
      if (plan.givenUp.includes(member.node)) places.set(member.node, member);
    }
  }
  return [...places.values()];
}

async function withTarget(
  target: string,
  others: readonly OfflineData[],
  { giveUp, checkLost, progress }: RecoverOptions,
): Promise<Prospect & { readonly recovery: RecoveryRow }> {
  let fail: (error: DeltabaseError) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const disk = await openDataDir(target, { fatal: fail, measureIntervalMs: 0 });
  const run = <T>(task: Task<T>): Promise<T> =>
    others.reduce((work, data) => data.guard(work), Promise.race([failed, runToEnd(task)]));
  try {
    const own = await run(readSurvivor(disk));
    const prospect = prospectOf([own, ...(await readAll(others))]);
    checkGivenUp(prospect.plan, giveUp);
    await checkLost(prospect, placesOfLost(prospect));
    const [, ...nodes] = prospect.survivors.map(({ row }) => row.node);
    const recovery = await run(
      applyRecovery(prospect.plan, {
        disk,
        others: new Map(nodes.map((node, at) => [node, others[at]!.reader])),
        random: { next: () => randomInt(2 ** 32) },
        timeMs: Date.now(),
        copying: (group, from) => progress(`copies group ${group} from node ${from}`),
      }),
    );
    // What it wrote is what a node can start on.
    await run(readSurvivor(disk));
    return { ...prospect, recovery };
  } finally {
    await disk.close();
  }
}

function prospectOf(survivors: readonly Survivor[]): Prospect {
  return { survivors, plan: planRecovery(survivors) };
}

async function readAll(data: readonly OfflineData[]): Promise<Survivor[]> {
  const survivors: Survivor[] = [];
  for (const one of data) survivors.push(await one.run(readSurvivor));
  return survivors;
}

/** Opens each directory, one inside the other. */
function withAll<T>(
  directories: readonly string[],
  signal: AbortSignal,
  use: (data: readonly OfflineData[]) => Promise<T>,
  opened: readonly OfflineData[] = [],
): Promise<T> {
  const [next, ...rest] = directories;
  if (next === undefined) return use(opened);
  return withOfflineData(next, { signal, isStrict: true }, (data) =>
    withAll(rest, signal, use, [...opened, data]),
  );
}
