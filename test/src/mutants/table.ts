// The table at the end of docs/testing.md: a row for each mutant, by who killed it. What a run has not tried keeps its row.

import { readText } from '../workspace.js';
import type { Verdict } from './attempt.js';
import type { Mutant } from './lists.js';

export const TABLE_FILE = 'docs/testing.md';

const MADE = /(<!-- made -->\n)([\s\S]*?)(<!-- end -->)/;
const UNTRIED = 'not tried yet';
const HEAD =
  '| mutant | pitfall | in | killed by | after | simulation |\n| --- | --- | --- | --- | --- | --- |';

/** The page with new rows for what was tried, in the order of `mutants`; rows of others that are gone are left out. */
export function updatedPage(
  mutants: readonly Mutant[],
  tried: ReadonlyMap<string, Verdict>,
): string {
  const known = readRows();
  const rows = mutants.map((mutant) => {
    const verdict = tried.get(mutant.name);
    const before = known.get(mutant.name);
    if (verdict !== undefined) return rowOf(mutant, verdict, before);
    return before ?? row(mutant, [UNTRIED, '', '']);
  });
  return readText(TABLE_FILE).replace(
    MADE,
    (_, start, __, end) => `${start}\n${HEAD}\n${rows.join('\n')}\n\n${end}`,
  );
}

/** Whether the table does not know yet who kills a mutant. */
export function isUntried({ name }: Mutant): boolean {
  const known = readRows().get(name);
  return known === undefined || known.includes(`| ${UNTRIED} |`);
}

/** The rows of the table, by the mutants' names. */
export function readRows(): Map<string, string> {
  const table = MADE.exec(readText(TABLE_FILE))?.[2];
  if (table === undefined) throw new Error(`${TABLE_FILE} has no marks: put them in`);
  const rows = table.split('\n').filter((line) => line.startsWith('| '));
  return new Map(rows.map((row) => [row.split(' | ')[0]!.slice(2), row]));
}

/** What the simulation said `before` stays until it is asked again. */
function rowOf(mutant: Mutant, verdict: Verdict, before: string | undefined): string {
  if (verdict.kind === 'left') return row(mutant, [`nobody: ${verdict.why}`, '', '']);
  const { by, after, simulation = simulationIn(before) } = verdict;
  return row(mutant, [by, after, simulation]);
}

function simulationIn(row: string | undefined): string {
  return /\| ((?:seed |none)[^|]*) \|$/.exec(row ?? '')?.[1] ?? '';
}

function row({ name, pitfall, file }: Mutant, outcome: readonly string[]): string {
  const cells = [name, pitfall, placeOf(file), ...outcome];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** packages/drivers/level/src/files/table.ts: drivers/level/files/table.ts. */
function placeOf(file: string): string {
  return file.replace(/^packages\/(?:core\/)?/, '').replace('/src/', '/');
}
