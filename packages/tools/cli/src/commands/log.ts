// deltabase log: the Raft logs of the groups: which entries there are, what is in each, and what is added. From a
// running node, or from the data of one that does not run.

import { DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import { checkDocumentKey, checkSpaceName, groupOf, SYSTEM_SPACE } from '@deltabase/machine';
import { Argument, type Command } from 'commander';
import { Context, withCommon } from '../context.js';
import { entryJson } from '../format/json.js';
import { entriesTable, entryRow, entryText, logsText } from '../format/log.js';
import type { Io } from '../io.js';
import { natural, whole } from '../parse.js';
import { type Source, type SourceOptions, withData, withSource } from '../source/source.js';
import { addTail } from './log-tail.js';

interface ListOptions extends SourceOptions {
  readonly from?: number;
  readonly limit?: number;
}

/** Rows of a table for people; programs get all. */
const LIST_LIMIT = 1000;

export function addLog(program: Command, io: Io): void {
  const log = program
    .command('log')
    .summary('the Raft logs: entries, deltas, causes')
    .description('Shows the Raft logs: their entries, the deltas in them and what caused these.')
    .helpCommand(false)
    .addHelpText('after', '\nExamples:\n  deltabase log list\n  deltabase log show 1 2');
  addList(log, io);
  addShow(log, io);
  addTail(log, io);
  addGroup(log, io);
}

function addList(log: Command, io: Io): void {
  const command = log
    .command('list')
    .addArgument(new Argument('[group]').argParser(whole))
    .summary('the logs of all groups, or the entries of one')
    .description('Shows the logs of all groups, or the entries of one, oldest first.')
    .option('--from <index>', 'the first entry wanted', natural)
    .option('--limit <entries>', `at most so many (default ${LIST_LIMIT}; JSON: all)`, natural);
  withSourceOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  deltabase log list
  deltabase log list 1 --from 2 --limit 20
  deltabase log list 1 --node 2 --json
  deltabase log list 1 --data deltabase-data`,
    )
    .action((group: number | undefined, options: ListOptions) => {
      const context = new Context(io, options);
      return withSource(context, options, (source) =>
        group === undefined
          ? listGroups(context, source, options)
          : listEntries(context, source, group, options),
      );
    });
}

async function listGroups(context: Context, source: Source, options: ListOptions): Promise<void> {
  if (options.from !== undefined || options.limit !== undefined) {
    const why = '--from and --limit are for the entries of one group: name it, as in log list 1';
    throw new DeltabaseError('INVALID_ARGUMENT', why);
  }
  const logs = await source.logs();
  await context.show(logs, () => logsText(logs, context.paint));
}

async function listEntries(
  context: Context,
  source: Source,
  group: number,
  { from = 0, limit = context.isJson ? Infinity : LIST_LIMIT }: ListOptions,
): Promise<void> {
  const rows: string[][] = [];
  let count = 0;
  let last = 0;
  // One more than is shown tells whether there are more.
  for await (const entry of source.entries({ group, from, limit: limit + 1 })) {
    if (++count > limit) break;
    last = entry.index;
    if (context.isJson) await context.show(entryJson(group, entry), () => '');
    else rows.push(entryRow(entry, context.paint));
  }
  if (rows.length > 0) await context.io.out(entriesTable(rows, context.paint));
  if (count === 0) context.note(`the log of group ${group} has no entry from ${from} on`);
  if (count > limit) context.note(`there are more: --from ${last + 1}`);
}

function addShow(log: Command, io: Io): void {
  const command = log
    .command('show')
    .addArgument(new Argument('<group>').argParser(whole))
    .addArgument(new Argument('<index>').argParser(natural))
    .summary('one entry with its deltas')
    .description('Shows one entry with the deltas in it and what caused them.');
  withSourceOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  deltabase log show 1 2
  deltabase log show 1 2 --json
  deltabase log show 1 2 --data deltabase-data`,
    )
    .action((group: number, index: number, options: SourceOptions) => {
      const context = new Context(io, options);
      return withSource(context, options, (source) => show(context, source, group, index));
    });
}

async function show(context: Context, source: Source, group: number, index: number): Promise<void> {
  for await (const entry of source.entries({ group, from: index, limit: 1 })) {
    if (entry.index !== index) break;
    await context.show(entryJson(group, entry), () => entryText(entry, context.paint));
    return;
  }
  throw await notThere(source, group, index);
}

/** Why there is no entry: not yet, or not any more. */
async function notThere(source: Source, group: number, index: number): Promise<DeltabaseError> {
  const { groups } = await source.logs();
  const { firstIndex = 1, lastIndex = 0 } = groups.find((one) => one.group === group) ?? {};
  const range = lastIndex < firstIndex ? 'it is empty' : `it has ${firstIndex} to ${lastIndex}`;
  const what = `the log of group ${group} has no entry ${index}`;
  if (index > lastIndex) return new DeltabaseError('INVALID_ARGUMENT', `${what} yet: ${range}`);
  return new DeltabaseError('HISTORY_GONE', `${what} any more, for it was compacted: ${range}`);
}

function addGroup(log: Command, io: Io): void {
  const command = log
    .command('group <space> <key>')
    .summary('the group of a document')
    .description('Shows the group that a document belongs to.');
  withCommon(withData(command))
    .addHelpText(
      'after',
      `
Examples:
  deltabase log group counter visits
  deltabase log group counter visits --data deltabase-data`,
    )
    .action((space: string, key: string, options: SourceOptions) => {
      const context = new Context(io, options);
      return withSource(context, options, (source) => showGroup(context, source, space, key));
    });
}

async function showGroup(
  context: Context,
  source: Source,
  space: string,
  key: string,
): Promise<void> {
  if (space !== SYSTEM_SPACE) checkSpaceName(space, DEFAULT_LIMITS);
  checkDocumentKey(key, DEFAULT_LIMITS);
  const { groups } = await source.logs();
  const group = groupOf(space, key, groups.length - 1);
  await context.show({ group }, () => `${group}\n`);
}

function withSourceOptions(command: Command): Command {
  const withNode = command.option(
    '--node <id>',
    "whose log (default the leader's of the group)",
    natural,
  );
  return withCommon(withData(withNode));
}
