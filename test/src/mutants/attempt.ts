// Sees whether anybody notices a mutant: test files one after the other, then seeds of the simulation, until one fails.
// The likeliest come first: what the mutant names, else the test that mirrors the broken source.

import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '../workspace.js';
import type { Mutant } from './lists.js';
import type { Ended, Scratch } from './scratch.js';

/** Who noticed, and how many looked until then; or what is wrong with the mutant. */
export type Verdict = Killed | { readonly kind: 'left'; readonly why: string };

export interface Killed {
  readonly kind: 'killed';
  readonly by: string;
  readonly after: string;
  /** What failed, as node is given it: a test file, or a seed. */
  readonly command: readonly string[];
  /** What the simulation alone says of it, if it was asked. */
  readonly simulation?: string;
}

export interface AttemptOptions {
  /** Seeds of the simulation that look at it in any case, from 1 on; 0: none. */
  readonly simulationSeeds: number;
}

/** A mutant that makes a test run for ever is killed by that. */
const TEST_SECONDS = 120;
const SEEDS_SECONDS = 900;
/** The first test that fails is enough; others might wait for what does not come. */
const TEST_LIMITS = { seconds: TEST_SECONDS, enough: /^ *not ok .*\n/m };
const SIMULATION = 'packages/tools/testkit/dist/src/sim/main.js';
const NAME_CHARS_MAX = 110;

/** Makes the mistake, and mends it again. */
export async function attempt(
  scratch: Scratch,
  mutant: Mutant,
  { simulationSeeds }: AttemptOptions,
): Promise<Verdict> {
  try {
    const problem = await scratch.breakWith(mutant);
    if (problem !== undefined) return { kind: 'left', why: problem };
    const verdict = await killerOf(scratch, mutant);
    if (verdict.kind === 'left' || simulationSeeds === 0 || !isSimulated(mutant)) return verdict;
    return { ...verdict, simulation: await askSimulation(scratch, simulationSeeds) };
  } finally {
    scratch.mend();
  }
}

async function killerOf(scratch: Scratch, mutant: Mutant): Promise<Verdict> {
  const tries = [() => runTests(scratch, mutant), () => runSeeds(scratch, mutant)];
  if (mutant.killer === 'seeds') tries.reverse();
  const survived: string[] = [];
  for (const next of tries) {
    const tried = await next();
    if (typeof tried !== 'string') return tried;
    survived.push(tried);
  }
  return { kind: 'left', why: `survived ${survived.join(' and ')}` };
}

/** The simulation runs the core, the engine and the driver for LevelDB as they are. */
function isSimulated({ file }: Mutant): boolean {
  return ['core/', 'engine/', 'drivers/level/'].some((part) => file.startsWith(`packages/${part}`));
}

async function askSimulation(scratch: Scratch, count: number): Promise<string> {
  const seen = await firstSeed(scratch, [1, count]);
  if (typeof seen !== 'string') return `seed ${seen.seed}`;
  return seen === '' ? `none of ${count} seeds` : 'none, but it did not end';
}

/** Returns what it survived. */
async function runTests(scratch: Scratch, mutant: Mutant): Promise<Verdict | string> {
  const files = inOrder(mutant);
  for (const [at, file] of files.entries()) {
    const command = ['--test-reporter=tap', file];
    const ended = await scratch.node(command, TEST_LIMITS);
    if (ended.code !== 0) return killed(command, failedTest(ended, file), [at + 1, 'file']);
  }
  return `${files.length} test files`;
}

async function runSeeds(scratch: Scratch, { seeds }: Mutant): Promise<Verdict | string> {
  if (seeds === undefined) return 'no seeds';
  const [first, last] = seeds;
  const seen = await firstSeed(scratch, seeds);
  if (seen === '') return `${last - first + 1} seeds`;
  if (typeof seen === 'string') return { kind: 'left', why: `the simulation did not run: ${seen}` };
  const command = [SIMULATION, '--seed', String(seen.seed)];
  return killed(command, `seed ${seen.seed}: ${seen.message}`, [seen.seed - first + 1, 'seed']);
}

/** The first seed that fails; a text: none does, or what is in the way of running them. */
async function firstSeed(
  scratch: Scratch,
  [first, last]: readonly [number, number],
): Promise<{ readonly seed: number; readonly message: string } | string> {
  const range = ['--seeds', `${first}-${last}`, '--jobs', '1', '--first'];
  const ended = await scratch.node([SIMULATION, ...range], { seconds: SEEDS_SECONDS });
  if (ended.code === 0) return '';
  const found = /^seed (\d+) failed.*\nplan: .*\n(.*)/m.exec(ended.output);
  if (found === null) return ended.output;
  const message = found[2]!.replace(/^\w+(?: \[\w+\])?: /, '');
  return { seed: Number(found[1]), message };
}

function killed(
  command: readonly string[],
  by: string,
  [count, what]: readonly [number, string],
): Killed {
  const short = by.length > NAME_CHARS_MAX ? `${by.slice(0, NAME_CHARS_MAX)}…` : by;
  return { kind: 'killed', by: short, after: `${count} ${what}${count === 1 ? '' : 's'}`, command };
}

/** Runs what has killed mutants on a copy where nothing is broken. Whether it passes. */
export async function passes(scratch: Scratch, command: readonly string[]): Promise<boolean> {
  const seconds = command[0] === SIMULATION ? SEEDS_SECONDS : TEST_SECONDS;
  const { code } = await scratch.node(command, { seconds });
  return code === 0;
}

/** The first test that failed, with its file: TAP's deepest "not ok" comes first. */
function failedTest({ output }: Ended, file: string): string {
  const name = /^ *not ok \d+ - (.*)$/m.exec(output)?.[1];
  return `${basename(file, '.js')}: ${name ?? 'it did not end'}`;
}

/** The test files of a mutant, the likeliest killers first. */
export function inOrder({ tests, file, killer }: Mutant): string[] {
  const files = tests.flatMap((folder) => testFiles(folder));
  const likely = killer === undefined || killer === 'seeds' ? mirrorOf(file) : killer;
  const first = files.filter((path) => path.includes(likely));
  return [...first, ...files.filter((path) => !first.includes(path))];
}

/** test/x/y.test.ts mirrors src/x/y.ts. */
function mirrorOf(file: string): string {
  return file.replace(/^.*\/src\//, '/test/').replace(/\.ts$/, '.test.js');
}

/** Compiled test files below a folder, or that file itself, in a fixed order; paths from the root. */
function testFiles(path: string): string[] {
  if (path.endsWith('.js')) return [path];
  const entries = readdirSync(join(ROOT, path), { withFileTypes: true });
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return testFiles(`${path}/${entry.name}`);
      return entry.name.endsWith('.test.js') ? [`${path}/${entry.name}`] : [];
    });
}
