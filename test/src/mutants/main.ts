// npm run mutants [-- WORD ...] [--write] [--jobs N]: breaks the code on purpose, a few lines at a time, and sees that
// tests or the simulation fail, which pass where nothing is broken. Works on copies of the workspace. Ends with 1 if a
// mutant survives, does not fit the code any more, or does not compile.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { counter, endWithUsage, parseOptions } from '../command-line.js';
import { ROOT } from '../workspace.js';
import { attempt, type Verdict } from './attempt.js';
import { checkKillers } from './killers.js';
import { type Mutant, readMutants } from './lists.js';
import { Scratch } from './scratch.js';
import { isUntried, TABLE_FILE, updatedPage } from './table.js';

const USAGE = `npm run mutants -- [WORD ...] [OPTION ...]
  WORD        only mutants whose name, file or "pitfall N" holds it
  --jobs N    copies of the workspace to try them in; default 2
  --untried   only those of which the table does not say yet who kills them
  --list      what there is
  --simulation N  has seeds 1 to N of the simulation look as well, whoever else noticed
  --write     puts the outcomes into ${TABLE_FILE}`;

const { values, positionals: words } = parseOptions(
  {
    allowPositionals: true,
    options: {
      jobs: { type: 'string', default: '2' },
      untried: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      simulation: { type: 'string', default: '0' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  },
  USAGE,
);
const count = counter(values, USAGE);
const jobs = count('jobs');
const simulationSeeds = count('simulation', 0);
const all = readMutants();
const chosen = all
  .filter((mutant) => words.length === 0 || words.some((word) => is(mutant, word)))
  .filter((mutant) => !values.untried || isUntried(mutant));
if (values.help) {
  console.log(USAGE);
} else if (chosen.length === 0) {
  endWithUsage('there is no such mutant', USAGE);
} else if (values.list) {
  for (const { name, pitfall, file } of chosen)
    console.log(`${name}  (pitfall ${pitfall}, ${file})`);
} else {
  await tryAll();
}

function is({ name, file, pitfall }: Mutant, word: string): boolean {
  return name.includes(word) || file.includes(word) || `pitfall ${pitfall}` === word;
}

async function tryAll(): Promise<void> {
  const begunMs = performance.now();
  const scratches = Array.from({ length: Math.min(jobs, chosen.length) }, () => new Scratch());
  process.on('exit', () => {
    for (const scratch of scratches) scratch.remove();
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
  const verdicts = new Map<string, Verdict>();
  const left = [...chosen].reverse();
  const work = async (scratch: Scratch): Promise<void> => {
    for (let mutant = left.pop(); mutant !== undefined; mutant = left.pop()) {
      const verdict = await attempt(scratch, mutant, { simulationSeeds });
      verdicts.set(mutant.name, verdict);
      tell(mutant, verdict, verdicts.size);
    }
  };
  await Promise.all(scratches.map(work));
  await checkKillers(scratches, verdicts);
  if (values.write) writeFileSync(join(ROOT, TABLE_FILE), updatedPage(all, verdicts));
  const living = chosen.filter(({ name }) => verdicts.get(name)!.kind === 'left');
  const minutes = ((performance.now() - begunMs) / 60_000).toFixed(1);
  const count = chosen.length - living.length;
  console.log(`${count} of ${chosen.length} mutants killed in ${minutes} minutes`);
  for (const { name } of living) console.log(`  left: ${name}`);
  process.exit(living.length === 0 ? 0 : 1);
}

function tell({ name }: Mutant, verdict: Verdict, count: number): void {
  const what =
    verdict.kind === 'killed'
      ? `killed by ${verdict.by}, after ${verdict.after}`
      : `LEFT: ${verdict.why}`;
  console.log(`${count}/${chosen.length} ${name}: ${what}`);
}
