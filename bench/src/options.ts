// The command line of the benchmarks.

import { parseArgs } from 'node:util';

export interface Options {
  /** Benchmarks by name; all if there is none. */
  readonly names: readonly string[];
  readonly smoke: boolean;
  readonly list: boolean;
  readonly help: boolean;
  readonly seed: number;
}

export const USAGE = 'npm run bench -- [NAME ...] [--smoke] [--seed N] [--list]';

/** Reads it; a string says what is wrong with it. */
export function parseOptions(args: readonly string[], known: readonly string[]): Options | string {
  const parsed = parse(args);
  if (typeof parsed === 'string') return parsed;
  const { values, positionals: names } = parsed;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return `there is no benchmark ${unknown.join(', ')}: there are ${known.join(', ')}`;
  }
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    return `--seed ${values.seed} is no whole number of at least 0`;
  }
  return { names, ...values, seed };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        smoke: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
      },
    });
  } catch (thrown) {
    const isOurs = thrown instanceof TypeError && 'code' in thrown;
    if (!isOurs || !String(thrown.code).startsWith('ERR_PARSE_ARGS')) throw thrown;
    return thrown.message;
  }
}
