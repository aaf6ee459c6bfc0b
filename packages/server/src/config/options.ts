// Every option of a server, in one table: its name, what it must be, what it is when it is not given, and what
// it means. The schema, --help and docs/configuration.md all come from here; a test holds the page against it.

import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import { DEFAULT_GROUPS, DEFAULT_TIMING } from '@deltabase/engine';
import { z } from 'zod';
import { isAddress } from './members.js';
import { LOG_LEVELS } from './server-config.js';

/** One option. In a file it has its own name; see `flagOf` and `variableOf` for the others. */
export interface Option {
  /** What stands for its value in help. */
  readonly value: string;
  readonly meaning: string;
  readonly schema: z.ZodType;
  /** What it is when it is not given, where the default itself does not say it. */
  readonly unset?: string;
}

/** What WebAssembly itself bounds: the meter counts in 31 bits, a memory has 4 GiB at most. */
const LARGEST: Partial<Record<keyof Limits, number>> = {
  fuelPerMessageMax: 2 ** 31 - 1,
  stackBytesMax: 2 ** 31 - 1,
  memoryPagesMax: 65_536,
};

const CLUSTER = /^[a-z0-9][a-z0-9-]{0,62}$/;
const CLUSTER_RULE = 'use 1 to 63 of a-z 0-9 -, and do not begin with -';

/** The table. */
export const OPTIONS = {
  cluster: {
    value: 'NAME',
    meaning: 'The name of the cluster. Nodes of different clusters refuse each other.',
    schema: z.string(CLUSTER_RULE).regex(CLUSTER, CLUSTER_RULE).default('deltabase'),
  },
  node: {
    value: 'ID',
    meaning: 'The id of this node: its own for ever, never given to another one.',
    schema: wholeNumber(1, 65_535).default(1),
  },
  dataDir: {
    value: 'DIRECTORY',
    meaning:
      'Where this node keeps its data; made if it is missing. One process at a time uses it.',
    schema: z.string('name a directory').min(1, 'name a directory').default('deltabase-data'),
  },
  listen: {
    value: 'HOST:PORT',
    meaning: 'Where this process listens for clients. Nothing is encrypted or authenticated yet.',
    schema: address().default('127.0.0.1:7410'),
  },
  peerListen: {
    value: 'HOST:PORT',
    meaning: 'Where this process listens for other nodes. Let nobody else reach it.',
    schema: address().default('127.0.0.1:7411'),
  },
  members: {
    value: 'ID=PEER/CLIENT,...',
    meaning:
      'The nodes that a cluster begins with, the same on all of them: for each its id, the HOST:PORT where other ' +
      'nodes reach it, and the one where clients do. Such as 1=10.0.0.1:7411/10.0.0.1:7410,2=... After the first ' +
      'start the cluster knows its members itself; then these addresses only go before those it has for them.',
    schema: z.preprocess(joined, z.string('name the members as text')).default(''),
    unset: 'this node alone',
  },
  join: {
    value: 'HOST:PORT,...',
    meaning:
      'Where clients reach nodes of a cluster that this node becomes one of, once it was added (deltabase cluster ' +
      'add). Only for a first start, in place of members; later it says nothing.',
    schema: z.preprocess(joined, z.string('name addresses as text')).default(''),
    unset: 'none',
  },
  groups: {
    value: 'NUMBER',
    meaning:
      'Raft groups that share the documents. Fixed when the cluster is made, the same on all nodes.',
    schema: wholeNumber(1, 4096).optional(),
    unset: `${DEFAULT_GROUPS}, or what the data or the cluster has`,
  },
  tickMs: {
    value: 'MS',
    meaning: 'The unit of time of consensus, in milliseconds.',
    schema: wholeNumber(1, 10_000).default(DEFAULT_TIMING.tickMs),
  },
  heartbeatTicks: {
    value: 'TICKS',
    meaning: 'Ticks between the heartbeats of a leader.',
    schema: wholeNumber(1, 1000).default(DEFAULT_TIMING.heartbeatTicks),
  },
  electionTicks: {
    value: 'TICKS',
    meaning:
      'Ticks without a leader until a node stands for election; each draws from once to twice this.',
    schema: wholeNumber(2, 10_000).default(DEFAULT_TIMING.electionTicks),
  },
  logLevel: {
    value: 'LEVEL',
    meaning: `The least that is logged: ${LOG_LEVELS.join(', ')}.`,
    schema: z.enum(LOG_LEVELS, `use one of ${LOG_LEVELS.join(', ')}`).default('info'),
  },
  limits: {
    value: 'NAME=NUMBER,...',
    meaning:
      'Limits that differ from their defaults; docs/limits.md lists them. In a file: an object.',
    schema: z.preprocess(paired, limitsSchema()).default({}),
    unset: 'the defaults of docs/limits.md',
  },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof OPTIONS;

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** Checks a set of options and fills in what was not given. */
export const optionsSchema = z.strictObject(
  Object.fromEntries(OPTION_NAMES.map((name) => [name, OPTIONS[name].schema])) as {
    [Name in OptionName]: (typeof OPTIONS)[Name]['schema'];
  },
);

/** `dataDir` is `--data-dir` on the command line, */
export function flagOf(name: OptionName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** and DELTABASE_DATA_DIR in the environment. */
export function variableOf(name: OptionName): string {
  return `DELTABASE_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`;
}

/** What an option is when it is not given, for people. */
export function defaultOf(name: OptionName): string {
  const { schema, unset }: Option = OPTIONS[name];
  return unset ?? String(schema.parse(undefined));
}

function wholeNumber(min: number, max: number) {
  const must = `use a whole number from ${min} to ${max}`;
  return z.preprocess(digits, z.number(must).int(must).min(min, must).max(max, must));
}

function address() {
  const must = 'use HOST:PORT, such as 127.0.0.1:7410';
  return z.string(must).refine(isAddress, must);
}

function limitsSchema() {
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
function joined(given: unknown): unknown {
  return Array.isArray(given) ? given.join(',') : given;
}

/** `a=1,b=2` becomes {a: '1', b: '2'}. */
function paired(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  const pairs = given.split(',').filter((pair) => pair.trim() !== '');
  const fields = pairs.map((pair) => pair.split('=').map((part) => part.trim()));
  return fields.every(({ length }) => length === 2) ? Object.fromEntries(fields) : given;
}
