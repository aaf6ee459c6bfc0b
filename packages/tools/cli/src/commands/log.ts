// deltabase log: the Raft logs of the groups: which entries there are, what is in each, and what is added. From a
// running node, or from the data of one that does not run.

import { DeltabaseError } from '@deltabase/base';
import type { Client, LogEntry } from '@deltabase/client';
import { inspectLog, inspectNode } from '@deltabase/engine';
import { groupOf } from '@deltabase/machine';
import type { Command } from 'commander';
import { type CommonOptions, Context, positive, whole, withCommon } from '../context.js';
import { deltaOfRecord } from '../format/deltas.js';
import { entriesTable, entryText, groupsTable, type LogGroup } from '../format/log.js';
import type { Io } from '../io.js';
import { withOfflineData } from '../offline/open-data.js';

interface LogOptions extends CommonOptions {
  readonly node?: number;
  readonly data?: string;
  readonly from?: number;
  readonly limit?: number;
}

const LIST_LIMIT = 1000;

export function addLog(program: Command, io: Io): void {
  const log = program.command('log').description('show the Raft logs: entries, deltas, causes');
  withSource(log.command('list [group]'))
    .description("the groups' logs, or the entries of one")
    .option('--from <index>', 'the first entry wanted', positive)
    .option('--limit <entries>', `at most so many (default ${LIST_LIMIT})`, positive)
    .addHelpText('after', LIST_EXAMPLES)
    .action((group: string | undefined, options: LogOptions) => {
      const context = new Context(io, options);
      return group === undefined
        ? listGroups(context, options)
        : list(context, whole(group), options);
    });
  withSource(log.command('show <group> <index>'))
    .description('one entry with the deltas in it and what caused them')
    .addHelpText('after', SHOW_EXAMPLES)
    .action((group: string, index: string, options: LogOptions) =>
      show(new Context(io, options), whole(group), whole(index), options),
    );
  withCommon(log.command('tail [group]'))
    .description('entries as they are committed, of one group or of all')
    .option('--node <id>', 'the node whose log it is', positive)
    .option('--limit <entries>', 'end after so many', positive)
    .addHelpText('after', TAIL_EXAMPLES)
    .action((group: string | undefined, options: LogOptions) =>
      tail(new Context(io, options), group === undefined ? undefined : whole(group), options),
    );
  withSource(log.command('group <space> <key>'))
    .description('the group that a document belongs to')
    .addHelpText('after', '\nExamples:\n  deltabase log group counter visits')
    .action((space: string, key: string, options: LogOptions) =>
      showGroup(new Context(io, options), space, key, options),
    );
}

const LIST_EXAMPLES = `
Examples:
  deltabase log list
  deltabase log list 3 --from 100 --limit 20
  deltabase log list 3 --node 2
  deltabase log list 3 --data deltabase-data`;
const SHOW_EXAMPLES = `
Examples:
  deltabase log show 3 117
  deltabase log show 3 117 --data deltabase-data --json`;
const TAIL_EXAMPLES = `
Examples:
  deltabase log tail
  deltabase log tail 3 --json`;

function withSource(command: Command): Command {
  return withCommon(command)
    .option('--node <id>', "the node whose log it is (default the group's leader)", positive)
    .option('--data <directory>', 'read the data directory of a node that does not run');
}

// Whole logs.

async function listGroups(context: Context, { node, data }: LogOptions): Promise<void> {
  const groups = data === undefined ? await runningGroups(context, node) : await storedGroups(data);
  await context.show({ groups }, () => groupsTable(groups, context.paint));
}

async function runningGroups(context: Context, node: number | undefined): Promise<LogGroup[]> {
  const { deadlineMs } = context;
  const options = { deadlineMs, ...(node === undefined ? {} : { node }) };
  const { groups } = await context.withClient((client) => client.cluster.status(options));
  return groups.map((one) => ({
    group: one.group,
    term: one.term,
    leader: one.leader,
    firstIndex: one.firstIndex,
    lastIndex: one.lastIndex,
    commitIndex: one.commitIndex,
    flushedIndex: one.flushedIndex,
  }));
}

function storedGroups(dataDir: string): Promise<LogGroup[]> {
  return withOfflineData(dataDir, async (data) => {
    const { stored } = await data.run(inspectNode);
    return stored.map(({ group, hardState, firstIndex, lastIndex, flushedIndex }) => ({
      group,
      term: hardState.term,
      leader: undefined,
      firstIndex,
      lastIndex,
      commitIndex: Math.max(hardState.commit, flushedIndex),
      flushedIndex,
    }));
  });
}

// Entries.

async function list(context: Context, group: number, options: LogOptions): Promise<void> {
  const { from = 0, limit = LIST_LIMIT } = options;
  const entries = await readEntries(context, { group, from, limit }, options);
  if (context.isJson) {
    for (const entry of entries) await context.show(entryJson(entry), () => '');
  } else {
    await context.io.out(entriesTable(entries, context.paint));
  }
}

async function show(
  context: Context,
  group: number,
  index: number,
  options: LogOptions,
): Promise<void> {
  const [entry] = await readEntries(context, { group, from: index, limit: 1 }, options);
  if (entry?.index !== index) {
    const why = `entry ${index} of group ${group} is not here: deltabase log list ${group} shows which are`;
    throw new DeltabaseError('HISTORY_GONE', why);
  }
  await context.show(entryJson(entry), () => entryText(entry, context.paint));
}

interface EntryRange {
  readonly group: number;
  readonly from: number;
  readonly limit: number;
}

async function readEntries(
  context: Context,
  range: EntryRange,
  { node, data }: LogOptions,
): Promise<readonly LogEntry[]> {
  if (data !== undefined) return storedEntries(data, range);
  return context.withClient(async (client) => {
    const entries: LogEntry[] = [];
    const options = {
      ...range,
      deadlineMs: context.deadlineMs,
      ...(node === undefined ? {} : { node }),
    };
    for await (const entry of client.cluster.log(options)) entries.push(entry);
    return entries;
  });
}

function storedEntries(dataDir: string, { group, from, limit }: EntryRange): Promise<LogEntry[]> {
  return withOfflineData(dataDir, async (data) => {
    const entries: LogEntry[] = [];
    for (let next = from; entries.length < limit; ) {
      const page = await data.run((disk) => inspectLog(disk, group, next));
      if (page.length === 0) break;
      entries.push(...page);
      next = page.at(-1)!.index + 1;
    }
    return entries.slice(0, limit);
  });
}

async function tail(
  context: Context,
  group: number | undefined,
  { node, limit = Infinity }: LogOptions,
): Promise<void> {
  await context.withClient(async (client) => {
    const { groups } = await client.cluster.status({ deadlineMs: context.deadlineMs });
    const followed = groups.filter((one) => group === undefined || one.group === group);
    if (followed.length === 0) {
      const why = `there is no group ${group}: groups are 0 to ${groups.length - 1}`;
      throw new DeltabaseError('INVALID_ARGUMENT', why);
    }
    let left = limit;
    const leave = new AbortController();
    const show = async (from: number, entry: LogEntry): Promise<void> => {
      if (left-- <= 0) return;
      const json = { group: from, ...entryJson(entry) };
      await context.show(json, () => entryText(entry, context.paint, `group ${from}  `));
      if (left <= 0) leave.abort();
    };
    await Promise.all(
      followed.map((one) => {
        const place = { group: one.group, from: one.lastIndex + 1, node };
        return follow(client, place, leave.signal, (entry) => show(one.group, entry));
      }),
    );
  });
}

async function follow(
  client: Client,
  { group, from, node }: { group: number; from: number; node: number | undefined },
  signal: AbortSignal,
  each: (entry: LogEntry) => Promise<void>,
): Promise<void> {
  const options = { group, from, follow: true, signal, ...(node === undefined ? {} : { node }) };
  try {
    for await (const entry of client.cluster.log(options)) await each(entry);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

async function showGroup(
  context: Context,
  space: string,
  key: string,
  options: LogOptions,
): Promise<void> {
  const { node, data } = options;
  const groups = data === undefined ? await runningGroups(context, node) : await storedGroups(data);
  const group = groupOf(space, key, groups.length - 1);
  await context.show({ group }, () => `${group}\n`);
}

/** An entry for programs; its deltas as in history, with their documents. */
function entryJson(entry: LogEntry): object {
  const { index, term, kind, bytes, committed, records, summary } = entry;
  const deltas = records.map((record) => {
    const { space, key } = record;
    return { space, key, ...deltaOfRecord(record) };
  });
  return { index, term, kind, bytes, committed, summary, deltas };
}
