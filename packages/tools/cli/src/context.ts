// What every command shares: where the cluster is, how results are shown, and a client for as long as the
// command runs.

import { DeltabaseError } from '@deltabase/base';
import { CLIENT_LIMITS, type Client, connect } from '@deltabase/client';
import type { Command } from 'commander';
import { type Paint, paintFor } from './format/paint.js';
import type { Io } from './io.js';

/** Options that every command has. */
export interface CommonOptions {
  readonly address?: string;
  readonly json?: boolean;
  readonly color: boolean;
  readonly timeout?: number;
}

/** Where a node listens unless it is told otherwise. */
const DEFAULT_ADDRESS = '127.0.0.1:7410';
const TIMEOUT_SECONDS = 30;
/** A cluster that is there answers at once; people do not like to wait for one that is not. */
const CONNECT_MS = 5000;

/** Adds the common options. */
export function withCommon(command: Command): Command {
  return command
    .option(
      '-a, --address <host:port,...>',
      `nodes to connect to (DELTABASE_ADDRESS; default ${DEFAULT_ADDRESS})`,
    )
    .option('--timeout <seconds>', `give up after so long (default ${TIMEOUT_SECONDS})`, positive)
    .option('--json', 'JSON for programs; streams as one object a line')
    .option('--no-color', 'no colors (NO_COLOR does the same)');
}

/** A command's session is short, and forgotten soon: many commands must not fill the memory of a group. */
const SESSION_MS = 60_000;

/** What a command works with. */
export class Context {
  readonly io: Io;
  readonly paint: Paint;
  readonly isJson: boolean;
  readonly deadlineMs: number;
  readonly #options: CommonOptions;

  constructor(io: Io, options: CommonOptions) {
    this.io = io;
    this.#options = options;
    this.paint = paintFor(io, options.color);
    this.isJson = options.json === true;
    this.deadlineMs = (options.timeout ?? TIMEOUT_SECONDS) * 1000;
  }

  /** Addresses of nodes: the flag, the environment, or the default. */
  get addresses(): string[] {
    const { address } = this.#options;
    const text = address ?? this.io.env['DELTABASE_ADDRESS'] ?? DEFAULT_ADDRESS;
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }

  /** Runs `use` with a client and closes it whatever happens. */
  async withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
    const connectMs = Math.min(CONNECT_MS, this.deadlineMs);
    const deadlineMsMax = Math.min(CLIENT_LIMITS.deadlineMsMax, this.deadlineMs);
    const limits = { sessionAgeMsMax: SESSION_MS, deadlineMsMax };
    const client = await connect({ addresses: this.addresses, connectMs, limits });
    try {
      return await use(client);
    } finally {
      await client.close({ abandon: true });
    }
  }

  /** Shows a result: `text` to people, `json` to programs. */
  show(json: unknown, text: () => string): Promise<void> {
    return this.io.out(this.isJson ? `${JSON.stringify(json)}\n` : text());
  }
}

/** Parses a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new DeltabaseError('INVALID_ARGUMENT', `${JSON.stringify(text)} is not a number above 0`);
}

/** Parses a whole number of at least 0. */
export function whole(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new DeltabaseError('INVALID_ARGUMENT', `${JSON.stringify(text)} is not a whole number`);
}
