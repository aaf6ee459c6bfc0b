// What a process was told: flags before variables before a file before defaults. What is wrong with it is said in
// one line that names the option and who gave it.

import { readFileSync } from 'node:fs';
import { DeltabaseError } from '@deltabase/base';
import type { z } from 'zod';
import {
  flagOf,
  type NameIn,
  namesOf,
  type OptionTable,
  schemaOf,
  variableOf,
} from './option-table.js';

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What was given, and by whom. */
interface Given {
  readonly value: unknown;
  readonly source: string;
}

const CONFIG_FLAG = '--config';
const CONFIG_VARIABLE = 'DELTABASE_CONFIG';

/** The options of a table, checked. */
export interface GivenOptions<Table extends OptionTable> {
  readonly values: z.infer<ReturnType<typeof schemaOf<Table>>>;
  /** Who gave an option that was given. */
  sourceOf(name: NameIn<Table>): string;
}

/** What flags and environment say. Throws INVALID_ARGUMENT if that cannot be. */
export function readOptions<Table extends OptionTable>(
  table: Table,
  flags: readonly string[],
  environment: Environment,
): GivenOptions<Table> {
  const names = namesOf(table);
  const fromFlags = parseFlags(flags, names);
  const file = fromFlags.get(CONFIG_FLAG) ?? environment[CONFIG_VARIABLE];
  const fromFile = file === undefined ? {} : readConfigFile(file, names);
  const given = new Map<string, Given>();
  for (const name of names) {
    const found = [
      { value: fromFlags.get(flagOf(name)), source: flagOf(name) },
      { value: environment[variableOf(name)], source: variableOf(name) },
      { value: fromFile[name], source: `${file}: ${name}` },
    ].find(({ value }) => value !== undefined);
    if (found !== undefined) given.set(name, found);
  }
  const values = Object.fromEntries([...given].map(([name, { value }]) => [name, value]));
  const checked = schemaOf(table).safeParse(values, { reportInput: true });
  if (!checked.success) throw wrongOption(checked.error.issues[0]!, given);
  return { values: checked.data, sourceOf: (name) => given.get(name)!.source };
}

/** `--name value` and `--name=value`, each once. */
function parseFlags(flags: readonly string[], names: readonly string[]): Map<string, string> {
  const known = new Set([CONFIG_FLAG, ...names.map(flagOf)]);
  const found = new Map<string, string>();
  for (let at = 0; at < flags.length; at++) {
    const [flag = '', ...rest] = flags[at]!.split('=');
    if (!known.has(flag)) throw invalid(`there is no option ${flags[at]}: --help lists them`);
    const value = rest.length > 0 ? rest.join('=') : flags[++at];
    if (value === undefined) throw invalid(`${flag} needs a value: --help says which`);
    if (found.has(flag)) throw invalid(`${flag} is given twice: give it once`);
    found.set(flag, value);
  }
  return found;
}

function readConfigFile(path: string, names: readonly string[]): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw invalid(`the configuration file ${path} cannot be read (${reason})`, thrown);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalid(`the configuration file ${path} must hold one JSON object of options`);
  }
  const unknown = Object.keys(parsed).find((name) => !names.includes(name));
  if (unknown === undefined) return parsed as Record<string, unknown>;
  throw invalid(`${path}: there is no option ${unknown}: --help lists them`);
}

function wrongOption(issue: z.core.$ZodIssue, given: ReadonlyMap<string, Given>): DeltabaseError {
  const [name, ...inside] = issue.path;
  const { value, source } = given.get(String(name))!;
  const place = inside.length === 0 ? source : `${source}, ${inside.join('.')}`;
  // A flag may hold many values: the one that is wrong is shown.
  const wrong = inside.length === 0 ? value : issue.input;
  const shown = JSON.stringify(wrong)?.slice(0, 100);
  return invalid(`${place} is ${shown}: ${issue.message}`);
}

function invalid(message: string, cause?: unknown): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message, { cause });
}
