// What `npm start` may be told.

import { resolve } from 'node:path';
import { DeltabaseError } from '@deltabase/base';
import { Command } from 'commander';
import type { Io } from '../io.js';
import { NODES, PORTS_PER_NODE } from './addresses.js';

export interface TourOptions {
  /** End after the tour. */
  readonly once: boolean;
  /** The first of the ports, which follow one another. */
  readonly port: number;
  /** Where data and logs of the nodes are; absolute. */
  readonly data: string;
  readonly color: boolean;
}

export interface Place {
  /** The workspace's root. */
  readonly root: string;
  /** Where the user is: relative folders are seen from there. */
  readonly cwd: string;
}

export const DEFAULT_PORT = 7410;
/** Below the workspace's root, and ignored by git. */
const DEFAULT_DATA = '.data/start';
const PORT_MAX = 65_535 - NODES * PORTS_PER_NODE + 1;

/** Parses the arguments. Throws a CommanderError for --help, which is printed, and for what it does not know. */
export function parseOptions(
  args: readonly string[],
  io: Pick<Io, 'out' | 'err'>,
  { root, cwd }: Place,
): TourOptions {
  const command = new Command('npm start --')
    .description(
      'Starts three nodes on this machine, deploys the examples, shows what a cluster does, and stays up.',
    )
    .option('--once', 'end after the tour', false)
    .option(
      '--port <port>',
      `the first of ${NODES * PORTS_PER_NODE} ports in a row`,
      port,
      DEFAULT_PORT,
    )
    .option('--data <directory>', `where the nodes keep data and logs (default "${DEFAULT_DATA}")`)
    .option('--no-color', 'no colors (NO_COLOR does the same)')
    .allowExcessArguments(false)
    .showHelpAfterError('(npm start -- --help shows how)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: (text) => io.err(text),
    })
    .addHelpText('after', EXAMPLES);
  command.parse(args, { from: 'user' });
  const { data, ...rest } = command.opts<Omit<TourOptions, 'data'> & { data?: string }>();
  return { ...rest, data: data === undefined ? resolve(root, DEFAULT_DATA) : resolve(cwd, data) };
}

const EXAMPLES = `
The next start with the same folder finds its data again; remove the folder to begin anew.

Examples:
  npm start
  npm start -- --once
  npm start -- --port 9000 --data .data/second`;

function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= PORT_MAX) return value;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `--port ${JSON.stringify(text)}: use a number from 1 to ${PORT_MAX}`,
  );
}
