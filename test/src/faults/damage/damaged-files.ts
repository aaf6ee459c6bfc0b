// One flipped bit anywhere in a stopped node's data directory, and worse: the node serves what is right, or does not
// start. It is the only one left that has what it acknowledged last, so nobody else can make up for it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Prng } from '@deltabase/base';
import type { FaultCase, FaultContext } from '../fault-case.js';
import {
  cutFile,
  type Damage,
  FILE_KINDS,
  flipBit,
  removeFile,
  removeFolder,
  tearLog,
  zeroPage,
} from './damages.js';
import { type Outcome, startDamaged } from './start-damaged.js';
import { StoppedPair } from './stopped-pair.js';

interface Trial {
  readonly what: string;
  readonly damage: Damage;
  /** What may become of the node; anything that keeps the promises, unless given. */
  readonly allowed?: readonly Outcome[];
}

export const damagedFiles: FaultCase = {
  name: 'damaged-files',
  what:
    'bits are turned over in the files of a stopped node (in each round one), files are cut off, removed and ' +
    'overwritten, then it starts again',
  run: (context) => withPair(context, (pair) => tryEach(context, pair, trials(context))),
};

function* trials(context: FaultContext): Generator<Trial> {
  yield* LOSSES;
  yield* flips(context);
}

/** Every kind of file in turn, those with most in them more often. */
function* flips({ again }: FaultContext): Generator<Trial> {
  const turns = ['table', 'log', 'table', 'log', 'manifest', ...FILE_KINDS] as const;
  for (let round = 0; again(round, 20); round++) {
    const kind = turns[round % turns.length]!;
    yield { what: `flipped bit: ${kind}`, damage: flipBit(kind) };
  }
}

const LOSSES: readonly Trial[] = [
  // What was acknowledged is not there any more, and nobody else has it.
  { what: 'log cut off', damage: cutFile('log'), allowed: ['refuses to start'] },
  { what: 'log gone', damage: removeFile('log'), allowed: ['refuses to start'] },
  { what: 'manifest gone', damage: removeFile('manifest'), allowed: ['refuses to start'] },
  { what: 'CURRENT gone', damage: removeFile('current'), allowed: ['refuses to start'] },
  { what: 'store gone', damage: removeFolder('store'), allowed: ['refuses to start'] },
  // A table may be one that is not in use any more.
  { what: 'table gone', damage: removeFile('table') },
  { what: 'table cut off', damage: cutFile('table') },
  { what: 'page of a table zeroed', damage: zeroPage('table') },
  { what: 'page of a log zeroed', damage: zeroPage('log') },
  { what: 'manifest cut off', damage: cutFile('manifest') },
  // Nothing that was acknowledged is lost by these.
  { what: 'log torn while it was written', damage: tearLog, allowed: ['serves all'] },
  { what: 'LevelDB notes gone', damage: removeFile('notes'), allowed: ['serves all'] },
  { what: 'witness gone', damage: removeFile('acknowledged'), allowed: ['serves all'] },
];

async function withPair(
  { random, progress }: FaultContext,
  use: (pair: StoppedPair) => Promise<string>,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'deltabase-damage-'));
  const pair = await StoppedPair.make({ directory, random });
  progress('the nodes are stopped');
  const told = await use(pair).catch((thrown: unknown) => {
    throw new Error(`the damaged files are in ${pair.victim.dataDir}`, { cause: thrown });
  });
  await rm(directory, { recursive: true });
  return told;
}

async function tryEach(
  { random, progress }: FaultContext,
  pair: StoppedPair,
  all: Iterable<Trial>,
): Promise<string> {
  const counts = new Map<string, Map<Outcome, number>>();
  for (const trial of all) {
    const outcome = await tryOne(pair, trial, random, progress);
    if (outcome === undefined) continue;
    const byOutcome = counts.get(trial.what) ?? new Map<Outcome, number>();
    counts.set(trial.what, byOutcome.set(outcome, (byOutcome.get(outcome) ?? 0) + 1));
  }
  return tableOf(counts);
}

async function tryOne(
  pair: StoppedPair,
  { what, damage, allowed }: Trial,
  random: Prng,
  progress: (line: string) => void,
): Promise<Outcome | undefined> {
  await pair.restore();
  const place = await damage(pair.victim.dataDir, random);
  if (place === undefined) return undefined;
  let outcome: Outcome;
  try {
    outcome = await startDamaged(pair);
  } catch (cause) {
    throw new Error(`${what}, ${place}`, { cause });
  }
  progress(`${what}: ${outcome} (${place})`);
  if (allowed?.includes(outcome) === false) throw new Error(`${what}, ${place}: it ${outcome}`);
  return outcome;
}

const OUTCOMES: readonly Outcome[] = ['refuses to start', 'stops by itself', 'serves all'];

function tableOf(counts: ReadonlyMap<string, ReadonlyMap<Outcome, number>>): string {
  const lines = [...counts].map(([what, byOutcome]) => {
    const cells = OUTCOMES.map((outcome) => String(byOutcome.get(outcome) ?? 0).padStart(16));
    return `${what.padEnd(30)}${cells.join(' ')}`;
  });
  const head = `${''.padEnd(30)}${OUTCOMES.map((outcome) => outcome.padStart(16)).join(' ')}`;
  return [head, ...lines].join('\n');
}
