// Where a configuration comes from: flags before variables before a file before defaults. What is wrong with
// it is said in one line that names the option and who gave it.

import { readFileSync } from 'node:fs';
import { DEFAULT_LIMITS, DeltabaseError, type Limits } from '@deltabase/base';
import type { Member } from '@deltabase/engine';
import type { z } from 'zod';
import { isAddress, parseMembers } from './members.js';
import { flagOf, OPTION_NAMES, type OptionName, optionsSchema, variableOf } from './options.js';
import type { ServerConfig } from './server-config.js';

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What was given, and by whom. */
interface Given {
  readonly value: unknown;
  readonly source: string;
}

const CONFIG_FLAG = '--config';
const CONFIG_VARIABLE = 'DELTABASE_CONFIG';

/** The configuration that flags and environment ask for. Throws INVALID_ARGUMENT if it cannot be. */
export function loadConfig(flags: readonly string[], environment: Environment): ServerConfig {
  const fromFlags = parseFlags(flags);
  const file = fromFlags.get(CONFIG_FLAG) ?? environment[CONFIG_VARIABLE];
  const fromFile = file === undefined ? {} : readConfigFile(file);
  const given = new Map<OptionName, Given>();
  for (const name of OPTION_NAMES) {
    const found = [
      { value: fromFlags.get(flagOf(name)), source: flagOf(name) },
      { value: environment[variableOf(name)], source: variableOf(name) },
      { value: fromFile[name], source: `${file}: ${name}` },
    ].find(({ value }) => value !== undefined);
    if (found !== undefined) given.set(name, found);
  }
  return complete(given);
}

/** `--name value` and `--name=value`, each once. */
function parseFlags(flags: readonly string[]): Map<string, string> {
  const known = new Set([CONFIG_FLAG, ...OPTION_NAMES.map(flagOf)]);
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

function readConfigFile(path: string): Record<string, unknown> {
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
  const unknown = Object.keys(parsed).find((name) => !OPTION_NAMES.includes(name as OptionName));
  if (unknown === undefined) return parsed as Record<string, unknown>;
  throw invalid(`${path}: there is no option ${unknown}: --help lists them`);
}

function complete(given: ReadonlyMap<OptionName, Given>): ServerConfig {
  const values = Object.fromEntries([...given].map(([name, { value }]) => [name, value]));
  const checked = optionsSchema.safeParse(values);
  if (!checked.success) throw wrongOption(checked.error.issues[0]!, given);
  const { members: named, join: joined, limits, ...others } = checked.data;
  const { tickMs, heartbeatTicks, electionTicks, groups, ...rest } = others;
  const join = addressesOf(joined, given);
  const members = membersOf(named, given, { node: rest.node, joins: join.length > 0 });
  if (electionTicks < 2 * heartbeatTicks) {
    throw invalid('electionTicks must be at least twice heartbeatTicks, or leaders fall at once');
  }
  const timing = { tickMs, heartbeatTicks, electionTicks };
  const all = { ...DEFAULT_LIMITS, ...limits } as Limits;
  return { ...rest, members, join, groups, timing, limits: all };
}

function addressesOf(named: string, given: ReadonlyMap<OptionName, Given>): readonly string[] {
  const addresses = named.split(',').flatMap((part) => part.trim() || []);
  const wrong = addresses.find((address) => !isAddress(address));
  if (wrong === undefined) return addresses;
  const { source } = given.get('join')!;
  throw invalid(
    `${source}: ${JSON.stringify(wrong)} is no address: use HOST:PORT, such as 10.0.0.1:7410`,
  );
}

function membersOf(
  named: string,
  given: ReadonlyMap<OptionName, Given>,
  { node, joins }: { readonly node: number; readonly joins: boolean },
): readonly Member[] {
  if (named === '') return [];
  const source = given.get('members')!.source;
  const members = parseMembers(named, source);
  if (!joins && !members.some((member) => member.node === node)) {
    throw invalid(`${source}: node ${node} is not among the members: add it, or set the node's id`);
  }
  const twice = members.find(
    (member, at) => members.findIndex((other) => other.node === member.node) !== at,
  );
  if (twice !== undefined) throw invalid(`${source}: node ${twice.node} is named twice`);
  return members;
}

function wrongOption(
  issue: z.core.$ZodIssue,
  given: ReadonlyMap<OptionName, Given>,
): DeltabaseError {
  const [name, ...inside] = issue.path;
  const { value, source } = given.get(name as OptionName)!;
  const place = inside.length === 0 ? source : `${source}, ${inside.join('.')}`;
  const shown = JSON.stringify(value)?.slice(0, 100);
  return invalid(`${place} is ${shown}: ${issue.message}`);
}

function invalid(message: string, cause?: unknown): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message, { cause });
}
