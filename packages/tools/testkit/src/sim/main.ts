// npm run sim -- --seeds A-B [OPTION ...] | --seed N [OPTION ...]: --help says which options there are.
// Runs seeds of the whole-engine simulation; docs/testing.md says what they are and what to do with one that fails.

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type Outcome, runSeed } from './one-run.js';
import { commandOf, drawPlan, type PlanChanges } from './plan.js';
import { runSeeds } from './pool.js';
import { failureLines, Report } from './report.js';
import { shrink } from './shrink.js';

const USAGE = `npm run sim -- --seeds A-B | --seed N [OPTION ...]
  --seeds A-B     many seeds, and what they saw
  --jobs N        processes for them; default 2
  --first         until the first that fails
  --seed N        one seed
  --trace         with its log
  --shrink        finds fewer faults under which it still fails
  --without A,B   without these kinds of faults (docs/testing.md)
  --until MS      no faults later than this, ms of virtual time
  --for MS        runs of this length in place of 3 to 60 s, ms of virtual time
  --json          for programs
  --markdown      of many seeds, for a page
A seed that fails ends with 1.`;

const { values } = options();
if (values.help) {
  print(USAGE);
  process.exit(0);
}

const changes: PlanChanges = {
  ...(values.without !== undefined && { without: values.without.split(',') }),
  ...(values.until !== undefined && { faultsUntilMs: whole(values.until, '--until') }),
  ...(values.for !== undefined && { forMs: whole(values.for, '--for') }),
};
if (values.seed !== undefined) one(whole(values.seed, '--seed'));
else if (values.seeds !== undefined) await many(values.seeds);
else fail(`say --seeds A-B, or --seed N\n\n${USAGE}`);

function options() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        jobs: { type: 'string', default: '2' },
        first: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        trace: { type: 'boolean', default: false },
        shrink: { type: 'boolean', default: false },
        without: { type: 'string' },
        until: { type: 'string' },
        for: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (thrown) {
    return fail(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${USAGE}`);
  }
}

function one(seed: number): void {
  if (values.shrink) {
    showShrunk(seed);
    return;
  }
  show(runSeed(seed, changes, values.trace ? print : undefined));
}

function showShrunk(seed: number): void {
  const shrunk = shrink({ seed, changes, told: print });
  if (shrunk === undefined) {
    print(`seed ${seed} does not fail`);
    return;
  }
  const left = Object.keys(drawPlan(seed, shrunk.changes).faults);
  print(`${shrunk.message}\nafter ${shrunk.runs} runs, with ${left.join(', ') || 'no faults'}:`);
  print(`${commandOf(seed, shrunk.changes)} --trace`);
  process.exitCode = 1;
}

function show(outcome: Outcome): void {
  const { seed, result } = outcome;
  if (result !== undefined) {
    print(values.json ? JSON.stringify(outcome) : `seed ${seed} passes: ${JSON.stringify(result)}`);
    return;
  }
  process.exitCode = 1;
  if (values.json) {
    print(JSON.stringify(outcome));
    return;
  }
  for (const line of failureLines(outcome, { commit: commit(), changes })) print(line);
}

async function many(range: string): Promise<void> {
  const [first, last] = range.split('-').map((text) => whole(text, '--seeds'));
  const seeds = Array.from({ length: (last ?? first!) - first! + 1 }, (_, at) => first! + at);
  const report = new Report();
  const ended = (outcome: Outcome): void => {
    report.add(outcome);
    if (outcome.failure === undefined || values.json) return;
    for (const line of failureLines(outcome, { commit: commit(), changes })) print(line);
  };
  const stopsAtFailure = values.first;
  await runSeeds({ seeds, jobs: whole(values.jobs, '--jobs'), changes, stopsAtFailure, ended });
  if (values.json) print(JSON.stringify(report, undefined, 2));
  else for (const line of linesOf(report, range)) print(line);
  if (report.failed.length > 0) process.exitCode = 1;
}

function linesOf(report: Report, range: string): string[] {
  return values.markdown ? report.markdown(`Seeds ${range}, commit ${commit()}`) : report.lines();
}

function commit(): string {
  const { stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  return stdout?.trim() || 'unknown';
}

function whole(text: string, option: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) fail(`${option} takes whole numbers`);
  return number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
