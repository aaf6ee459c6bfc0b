// Makes the plan of a run that fails smaller while it still fails: leaves out whole kinds of faults, then single ones,
// then looks for the earliest moment at which faults may end.

import { FAULT_KINDS } from './faults/fault.js';
import { runSeed } from './one-run.js';
import { drawPlan, type PlanChanges } from './plan.js';

export interface ShrinkOptions {
  readonly seed: number;
  /** What is changed to begin with. */
  readonly changes?: PlanChanges;
  readonly told?: (line: string) => void;
  /** Why a run fails; `undefined`: it does not. */
  readonly failureOf?: (changes: PlanChanges) => string | undefined;
}

export interface Shrunk {
  readonly changes: PlanChanges;
  readonly message: string;
  readonly runs: number;
}

const STEP_MS = 50;

/** The smallest changes that were found under which the seed fails; `undefined`: it does not fail. */
export function shrink({ seed, changes = {}, told = () => {}, ...rest }: ShrinkOptions) {
  const { failureOf = (changed: PlanChanges) => runSeed(seed, changed).failure?.message } = rest;
  let runs = 0;
  const fails = (more: PlanChanges): string | undefined => {
    runs++;
    return failureOf({ ...changes, ...more });
  };
  let message = fails({});
  if (message === undefined) return undefined;
  let without = changes.without ?? [];
  const faultsWithout = (names: readonly string[]): string[] =>
    Object.keys(drawPlan(seed, { ...changes, without: names }).faults);
  for (const name of [...FAULT_KINDS, ...faultsWithout(without)]) {
    const fewer = [...without, name];
    if (faultsWithout(fewer).length === faultsWithout(without).length) continue;
    const failure = fails({ without: fewer });
    if (failure === undefined) continue;
    [without, message] = [fewer, failure];
    told(`it fails without ${name}, too: ${failure.split('\n')[0]}`);
  }
  let [passesMs, failsMs] = [0, drawPlan(seed, changes).faultsUntilMs];
  while (failsMs - passesMs > STEP_MS) {
    const middleMs = Math.round((passesMs + failsMs) / 2);
    const failure = fails({ without, faultsUntilMs: middleMs });
    if (failure === undefined) passesMs = middleMs;
    else [failsMs, message] = [middleMs, failure];
    told(`faults until ${middleMs} ms: ${failure === undefined ? 'it passes' : 'it fails'}`);
  }
  const shrunk: Shrunk = {
    changes: { ...changes, without, faultsUntilMs: failsMs },
    message,
    runs,
  };
  return shrunk;
}
