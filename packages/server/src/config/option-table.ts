// Tables of options: what each is called, what it must be, what it is when it is not given, and what it means. The
// schema, --help and docs/configuration.md all come from such a table.

import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import { z } from 'zod';
import { isAddress } from './members.js';

/** One option. In a file it has its own name; see `flagOf` and `variableOf` for the others. */
export interface Option {
  /** What stands for its value in help. */
  readonly value: string;
  readonly meaning: string;
  readonly schema: z.ZodType;
  /** What it is when it is not given, where the default itself does not say it. */
  readonly unset?: string;
}

export type OptionTable = Readonly<Record<string, Option>>;

/** The names of a table's options. */
export type NameIn<Table extends OptionTable> = keyof Table & string;

export function namesOf<Table extends OptionTable>(table: Table): ReadonlyArray<NameIn<Table>> {
  return Object.keys(table);
}

/** Checks a set of options and fills in what was not given. */
export function schemaOf<Table extends OptionTable>(table: Table) {
  return z.strictObject(
    Object.fromEntries(namesOf(table).map((name) => [name, table[name]!.schema])) as {
      [Name in NameIn<Table>]: Table[Name]['schema'];
    },
  );
}

/** `dataDir` is `--data-dir` on the command line, */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** and DELTABASE_DATA_DIR in the environment. */
export function variableOf(name: string): string {
  return `DELTABASE_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`;
}

/** What an option is when it is not given, for people. */
export function defaultOf({ schema, unset }: Option): string {
  return unset ?? String(schema.parse(undefined));
}

// Kinds of values.

/** What WebAssembly itself bounds: the meter counts in 31 bits, a memory has 4 GiB at most. */
const LARGEST: Partial<Record<keyof Limits, number>> = {
  fuelPerMessageMax: 2 ** 31 - 1,
  stackBytesMax: 2 ** 31 - 1,
  memoryPagesMax: 65_536,
  heatDocumentsMax: 2 ** 20,
};

export function wholeNumber(min: number, max: number) {
  const must = `use a whole number from ${min} to ${max}`;
  return z.preprocess(digits, z.number(must).int(must).min(min, must).max(max, must));
}

export function address() {
  const must = 'use HOST:PORT, such as 127.0.0.1:7410';
  return z.string(must).refine(isAddress, must);
}

export function limitsSchema() {
  const limits = (Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]).map((name) => [
    name,
    wholeNumber(1, LARGEST[name] ?? Number.MAX_SAFE_INTEGER).optional(),
  ]);
  return z.strictObject(Object.fromEntries(limits), {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `there is no limit ${issue.keys?.join(', ')}: docs/limits.md lists them`
        : 'use NAME=NUMBER,... or, in a file, an object of numbers',
  });
}

/** Text from flags and variables becomes the number that it spells. */
function digits(given: unknown): unknown {
  return typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
}

/** A file may have a list. */
export function joined(given: unknown): unknown {
  return Array.isArray(given) ? given.join(',') : given;
}

/** `a=1,b=2` becomes {a: '1', b: '2'}. */
export function paired(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  const pairs = given.split(',').filter((pair) => pair.trim() !== '');
  const fields = pairs.map((pair) => pair.split('=').map((part) => part.trim()));
  return fields.every(({ length }) => length === 2) ? Object.fromEntries(fields) : given;
}
