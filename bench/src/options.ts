// The command line of the benchmarks.

import { parseArgs } from 'node:util';

export interface Options {
  /** Benchmarks by name; all if there is none. */
  readonly names: readonly string[];
  readonly smoke: boolean;
  readonly list: boolean;
  readonly help: boolean;
  readonly seed: number;
  /** Other systems that benchmarks measure beside ours where they know them. */
  readonly peers: readonly string[];
}

const PEERS: readonly string[] = ['etcd'];

export const USAGE =
  'npm run bench -- [NAME ...] [--smoke] [--seed N] [--peer etcd] [--list]\n\n' +
  '--peer measures another system in the same run, where it is installed: etcd for fanout (Debian: etcd-server)';

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
  const { peer: peers, ...flags } = values;
  const stranger = peers.find((peer) => !PEERS.includes(peer));
  if (stranger !== undefined) return `there is no peer ${stranger}: there is ${PEERS.join(', ')}`;
  return { names, ...flags, seed, peers };
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
        peer: { type: 'string', multiple: true, default: [] },
      },
    });
  } catch (thrown) {
    const isOurs = thrown instanceof TypeError && 'code' in thrown;
    if (!isOurs || !String(thrown.code).startsWith('ERR_PARSE_ARGS')) throw thrown;
    return thrown.message;
  }
}
