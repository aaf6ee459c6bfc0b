// One seed from its plan to an outcome that can be sent from one process to another.

import { Coverage } from './coverage.js';
import { drawPlan, type Plan, type PlanChanges } from './plan.js';
import { type RunResult, runPlan } from './run.js';

export interface Outcome {
  readonly seed: number;
  readonly plan: Plan;
  /** `undefined`: it failed. */
  readonly result: RunResult | undefined;
  readonly failure: Failure | undefined;
  readonly coverage: Readonly<Record<string, number>>;
  readonly cpuMs: number;
}

export interface Failure {
  readonly message: string;
  readonly stack: string;
  /** What happened last. */
  readonly lines: readonly string[];
}

const LINES_MAX = 200;

export function runSeed(
  seed: number,
  changes: PlanChanges = {},
  trace: (line: string) => void = () => {},
): Outcome {
  const plan = drawPlan(seed, changes);
  const coverage = new Coverage();
  const lines: string[] = [];
  const before = process.cpuUsage();
  const outcome = (result: RunResult | undefined, failure: Failure | undefined): Outcome => {
    const { user, system } = process.cpuUsage(before);
    const cpuMs = Math.round((user + system) / 1000);
    return { seed, plan, result, failure, coverage: coverage.toJSON(), cpuMs };
  };
  const told = (line: string): void => {
    lines.push(line);
    if (lines.length > 2 * LINES_MAX) lines.splice(0, LINES_MAX);
    trace(line);
  };
  try {
    return outcome(runPlan({ plan, coverage, trace: told }), undefined);
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const { message, stack = message } = error;
    return outcome(undefined, { message, stack, lines: lines.slice(-LINES_MAX) });
  }
}
