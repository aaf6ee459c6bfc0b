// Makes the plan of a run that fails smaller while it still fails: leaves out whole kinds of faults, then single ones,
// then looks for the earliest moment at which faults may end.

import { FAULT_KINDS } from './faults/fault.js';
import { runSeed } from './one-run.js';
import { drawPlan, type PlanChanges } from './plan.js';

export interface Shrunk {
  readonly changes: PlanChanges;
  readonly message: string;
  readonly runs: number;
}

const STEP_MS = 50;

/** The smallest changes that were found under which the seed fails; `undefined`: it does not fail. */
export function shrink(seed: number, told: (line: string) => void = () => {}): Shrunk | undefined {
  let runs = 0;
  const failureOf = (changes: PlanChanges): string | undefined => {
    runs++;
    return runSeed(seed, changes).failure?.message;
  };
  let message = failureOf({});
  if (message === undefined) return undefined;
  let without: string[] = [];
  for (const name of [...FAULT_KINDS, ...Object.keys(drawPlan(seed).faults)]) {
    const { faults } = drawPlan(seed, { without });
    if (
      Object.keys(drawPlan(seed, { without: [...without, name] }).faults).length ===
      Object.keys(faults).length
    ) {
      continue;
    }
    const failure = failureOf({ without: [...without, name] });
    if (failure === undefined) continue;
    without = [...without, name];
    message = failure;
    told(`it fails without ${name}, too`);
  }
  let [good, bad] = [0, drawPlan(seed).forMs];
  while (bad - good > STEP_MS) {
    const middle = Math.round((good + bad) / 2);
    const failure = failureOf({ without, faultsUntilMs: middle });
    if (failure === undefined) good = middle;
    else [bad, message] = [middle, failure];
    told(`faults until ${middle} ms: ${failure === undefined ? 'it passes' : 'it fails'}`);
  }
  return { changes: { without, faultsUntilMs: bad }, message, runs };
}
