// What every command shares: where the cluster is, how results are shown, and a client for as long as the
// command runs.

import { type CallOptions, CLIENT_LIMITS, type Client, connect } from '@deltabase/client';
import type { Command } from 'commander';
import { type Paint, paintFor } from './format/paint.js';
import { jsonLine } from './format/printable.js';
import type { Io } from './io.js';
import { upTo } from './parse.js';

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
/** The client's own bound. */
const TIMEOUT_SECONDS_MAX = 600;
/** A cluster that is there answers at once; people do not like to wait for one that is not. */
const CONNECT_MS = 5000;

/** Adds the common options, behind the command's own. */
export function withCommon(command: Command): Command {
  return command
    .option(
      '-a, --address <host:port,...>',
      `nodes to begin with (default DELTABASE_ADDRESS, or ${DEFAULT_ADDRESS})`,
    )
    .option(
      '--timeout <seconds>',
      `give up after so long (default ${TIMEOUT_SECONDS})`,
      upTo(TIMEOUT_SECONDS_MAX),
    )
    .option('--json', 'JSON for programs; many results: one a line')
    .option('--no-color', 'no colors (or NO_COLOR; FORCE_COLOR: always)');
}

/** A command's session is short, and forgotten soon: many commands must not fill the memory of a group. */
const SESSION_MS = 60_000;

/** What a command works with. */
export class Context {
  readonly io: Io;
  readonly paint: Paint;
  readonly isJson: boolean;
  /** How long each call to the cluster may take, and what ends it. */
  readonly call: Required<CallOptions>;
  readonly #options: CommonOptions;

  constructor(io: Io, options: CommonOptions) {
    this.io = io;
    this.#options = options;
    this.paint = paintFor(io, options.color);
    this.isJson = options.json === true;
    const deadlineMs = (options.timeout ?? TIMEOUT_SECONDS) * 1000;
    this.call = { deadlineMs, signal: io.signal };
  }

  /** Addresses of nodes: the flag, the environment, or the default. */
  get addresses(): string[] {
    const text = this.#options.address ?? this.io.env['DELTABASE_ADDRESS'] ?? DEFAULT_ADDRESS;
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }

  /**
   * Runs `use` with a client and closes it whatever happens. Throws UNAVAILABLE without a way to the cluster, unless a
   * replica that has none either is enough for it.
   */
  async withClient<T>(
    use: (client: Client) => Promise<T>,
    { clusterNeeded = true }: { readonly clusterNeeded?: boolean } = {},
  ): Promise<T> {
    const { deadlineMs, signal } = this.call;
    const connectMs = Math.min(CONNECT_MS, deadlineMs);
    const deadlineMsMax = Math.min(CLIENT_LIMITS.deadlineMsMax, deadlineMs);
    const limits = { sessionAgeMsMax: SESSION_MS, deadlineMsMax };
    const times = { connectMs, limits, signal };
    const client = await connect({ addresses: this.addresses, clusterNeeded, ...times });
    try {
      return await use(client);
    } finally {
      await client.close({ abandon: true });
    }
  }

  /** Shows a result: `text` to people, `json` to programs. */
  show(json: unknown, text: () => string): Promise<void> {
    return this.io.out(this.isJson ? jsonLine(json) : text());
  }

  /** Tells people, and only them, something that is not a result. */
  note(text: string): void {
    if (!this.isJson) this.io.err(`deltabase: ${text}\n`);
  }
}
