// npm run faults -- [--only NAME] [--minutes N] ...: real clusters under real faults, see fault-case.ts.

import { makePrng } from '@deltabase/base';
import { endWithUsage, parseOptions } from '../command-line.js';
import { FAULT_CASES } from './catalogue.js';
import { type Effort, type FaultCase, roundsOf } from './fault-case.js';

const USAGE = `npm run faults -- [OPTION ...]
  --only A,B      cases by name; all of them unless given
  --seed N        of what is done to whom
  --rounds N      of each case
  --minutes N     of each case, instead
  --list          what there is`;

const { values } = parseOptions(
  {
    options: {
      only: { type: 'string' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  },
  USAGE,
);

if (values.help || values.list) {
  if (values.help) console.log(`${USAGE}\n`);
  for (const { name, what } of FAULT_CASES) console.log(`${name.padEnd(18)} ${what}`);
  process.exit(0);
}
const seed = number('seed', values.seed)!;
const effort: Effort = {
  rounds: number('rounds', values.rounds),
  minutes: number('minutes', values.minutes),
};
let failed = 0;
for (const faultCase of chosen()) await runCase(faultCase);
process.exit(failed > 0 ? 1 : 0);

async function runCase({ name, what, unavailable, run }: FaultCase): Promise<void> {
  console.log(`\n${name}: ${what}; seed ${seed}`);
  const why = await unavailable?.();
  if (why !== undefined) {
    console.log(`not on this machine: ${why}`);
    return;
  }
  const progress = (line: string): void => console.log(`  ${line}`);
  try {
    console.log(await run({ random: makePrng(seed), again: roundsOf(effort), progress }));
  } catch (thrown) {
    failed++;
    console.error(thrown);
    console.error(`FAILED; to repeat: npm run faults -- --only ${name} --seed ${seed}`);
  }
}

function chosen(): readonly FaultCase[] {
  const names = values.only?.split(',');
  const unknown = names?.find((name) => !FAULT_CASES.some((known) => known.name === name));
  if (unknown !== undefined) endWithUsage(`there is no case ${unknown}`, USAGE);
  return FAULT_CASES.filter(({ name }) => names?.includes(name) ?? true);
}

function number(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  return endWithUsage(`--${option} ${text} is no number`, USAGE);
}
