// Runs many seeds over a few processes. A process that ends, or is silent for too long, fails the seed it had.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './one-run.js';
import { drawPlan, type PlanChanges } from './plan.js';

export interface PoolOptions {
  readonly seeds: readonly number[];
  readonly jobs: number;
  readonly changes?: PlanChanges;
  /** Begins no further seed once one has failed. */
  readonly stopsAtFailure?: boolean;
  /** Told of each outcome as it comes, in no order. */
  readonly ended: (outcome: Outcome) => void;
}

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));
/** No run takes so long, however busy the machine is. */
const SILENT_MS_MAX = 240_000;

/** Runs all seeds. */
export async function runSeeds(options: PoolOptions): Promise<void> {
  const { seeds, jobs, changes = {}, stopsAtFailure = false, ended } = options;
  const left = [...seeds].reverse();
  const work = async (): Promise<void> => {
    let worker: ChildProcess | undefined;
    for (let seed = left.pop(); seed !== undefined; seed = left.pop()) {
      worker ??= fork(WORKER, [], { execArgv: ['--enable-source-maps'] });
      const outcome = await ask(worker, seed, changes);
      if (outcome.result === undefined && outcome.cpuMs === 0) worker = undefined;
      ended(outcome);
      if (stopsAtFailure && outcome.failure !== undefined) left.length = 0;
    }
    worker?.disconnect();
  };
  await Promise.all(Array.from({ length: Math.min(jobs, seeds.length) }, work));
}

function ask(worker: ChildProcess, seed: number, changes: PlanChanges): Promise<Outcome> {
  return new Promise((resolve) => {
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer);
      worker.removeAllListeners();
      resolve(outcome);
    };
    const fail = (message: string): void => finish(lost(seed, changes, message));
    const timer = setTimeout(() => {
      worker.kill('SIGKILL');
      fail(`the run has not ended after ${SILENT_MS_MAX} ms`);
    }, SILENT_MS_MAX);
    worker.on('message', (outcome: Outcome) => finish(outcome));
    worker.on('exit', (code, signal) => fail(`the process ended: ${signal ?? code}`));
    worker.on('error', (error) => fail(error.message));
    worker.send({ seed, changes });
  });
}

function lost(seed: number, changes: PlanChanges, message: string): Outcome {
  const failure = { message, stack: message, lines: [] };
  const plan = drawPlan(seed, changes);
  return { seed, plan, result: undefined, failure, coverage: {}, cpuMs: 0 };
}
