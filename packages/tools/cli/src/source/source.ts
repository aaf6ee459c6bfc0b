// Where logs and histories come from: a cluster that runs, or the data directory of a node that does not. The
// commands that show them do not know which.

import type { LogEntry } from '@deltabase/client';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { CommonOptions, Context } from '../context.js';
import type { Delta } from '../format/deltas.js';
import type { NodeLogs } from '../format/log.js';
import { RunningSource } from './running.js';

export interface EntryRange {
  readonly group: number;
  /** The first index wanted; 0: the oldest there is. */
  readonly from: number;
  /** At most so many; may be Infinity. */
  readonly limit: number;
}

export interface DeltaRange {
  readonly space: string;
  readonly key: string;
  /** The first seq wanted, from 1. */
  readonly from: number;
  /** At most so many; may be Infinity. */
  readonly limit: number;
}

export interface StoredDelta extends Delta {
  /** Whether it is known to be committed; a node's files may not tell of the last ones. */
  readonly committed: boolean;
}

export interface Source {
  /** The logs of a node: the one that was named, or any. */
  logs(): Promise<NodeLogs>;
  /** Entries of a log, oldest first. Throws INVALID_ARGUMENT for a group that there is not. */
  entries(range: EntryRange): AsyncIterable<LogEntry>;
  /** Deltas of a document, oldest first. Throws DOCUMENT_NOT_FOUND if it has none at all. */
  deltas(range: DeltaRange): AsyncIterable<StoredDelta>;
}

export interface SourceOptions extends CommonOptions {
  readonly node?: number;
  readonly data?: string;
}

/** Adds the option that names the data directory of a stopped node. */
export function withData(command: Command): Command {
  const option = new Option('--data <directory>', 'read the data of a node that does not run');
  return command.addOption(option.conflicts(['address', 'node']));
}

/** Runs `use` with what the options name. */
export async function withSource<T>(
  context: Context,
  { node, data }: SourceOptions,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  if (data === undefined) {
    return context.withClient((client) => use(new RunningSource(client, context.call, node)));
  }
  // What it needs of LevelDB takes a while to load, and most commands go without.
  const { withStoredSource } = await import('./stored.js');
  return withStoredSource(data, context.call.signal, use);
}
