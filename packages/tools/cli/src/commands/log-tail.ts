// deltabase log tail: entries as they are committed, of one group or of all, for as long as it is left to run.

import { DeltabaseError } from '@deltabase/base';
import type { Client, LogEntry } from '@deltabase/client';
import { Argument, type Command } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { entryJson } from '../format/json.js';
import { entryText, type LogGroup } from '../format/log.js';
import type { Io } from '../io.js';
import { natural, whole } from '../parse.js';
import { RunningSource } from '../source/running.js';

interface TailOptions extends CommonOptions {
  readonly node?: number;
  readonly limit?: number;
}

export function addTail(log: Command, io: Io): void {
  const command = log
    .command('tail')
    .addArgument(new Argument('[group]').argParser(whole))
    .summary('entries as they are committed')
    .description('Shows entries as they are committed, of one group or of all.')
    .option('--node <id>', "whose log (default the leader's of the group)", natural)
    .option('--limit <entries>', 'end after so many', natural);
  withCommon(command)
    .addHelpText(
      'after',
      `
It begins behind what is committed, and goes on by itself when nodes come and
go. Ctrl-C ends it.

Examples:
  deltabase log tail
  deltabase log tail 1 --limit 10 --json`,
    )
    .action((group: number | undefined, options: TailOptions) => {
      const context = new Context(io, options);
      return context.withClient((client) => tail(context, client, group, options));
    });
}

/** Shows entries of one group, or of all, until there were enough. Throws INVALID_ARGUMENT for no group. */
export async function tail(
  context: Context,
  client: Client,
  group: number | undefined,
  { node, limit = Infinity }: TailOptions,
): Promise<void> {
  const { groups } = await new RunningSource(client, context.call, node).logs();
  const followed = groups.filter((one) => group === undefined || one.group === group);
  if (followed.length === 0) {
    const why = `there is no group ${group}: groups are 0 to ${groups.length - 1}`;
    throw new DeltabaseError('INVALID_ARGUMENT', why);
  }
  const enough = new AbortController();
  const signal = AbortSignal.any([context.call.signal, enough.signal]);
  const source = new RunningSource(client, { ...context.call, signal }, node);
  let left = limit;
  const show = async (from: number, entry: LogEntry): Promise<void> => {
    if (left === 0) return;
    left--;
    const title = `group ${from}  `;
    await context.show(entryJson(from, entry), () => entryText(entry, context.paint, title));
    if (left === 0) enough.abort();
  };
  try {
    await Promise.all(followed.map((one) => follow(context, source, one, show)));
  } catch (thrown) {
    if (!enough.signal.aborted) throw thrown;
  }
}

async function follow(
  context: Context,
  source: RunningSource,
  { group, commitIndex }: LogGroup,
  show: (group: number, entry: LogEntry) => Promise<void>,
): Promise<void> {
  let next = commitIndex + 1;
  for (;;) {
    try {
      for await (const entry of source.follow(group, next)) {
        if (entry.index > next) {
          const gone = `entries ${next} to ${entry.index - 1} of group ${group}`;
          context.note(`${gone} were compacted before they were read`);
        }
        next = entry.index + 1;
        await show(group, entry);
      }
    } catch (thrown) {
      // It goes on with the oldest there is.
      if (!isHistoryGone(thrown)) throw thrown;
    }
  }
}

function isHistoryGone(thrown: unknown): boolean {
  return thrown instanceof DeltabaseError && thrown.code === 'HISTORY_GONE';
}
