// deltabase hot: the documents that are read and watched most.

import { setTimeout as sleep } from 'node:timers/promises';
import { DeltabaseError } from '@deltabase/base';
import type { DocumentHeat, HotReport, NodeFailure } from '@deltabase/client';
import type { Command } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { hotJson } from '../format/json.js';
import { printable } from '../format/printable.js';
import { table } from '../format/table.js';
import { bytes, rate } from '../format/values.js';
import type { Io } from '../io.js';
import { natural, upTo } from '../parse.js';

interface HotOptions extends CommonOptions {
  readonly node?: number;
  readonly limit?: number;
  readonly watch?: number;
}

const RIGHT = 'right' as const;
/** Documents that are shown unless more are asked for: a screen of them. */
const LIMIT = 20;
/** A node that does not answer this fast is left out, ms. */
const NODE_MS = 3000;
const WATCH_SECONDS_MAX = 86_400;
/** Clears a terminal, and begins at its top. */
const CLEAR = '\u001b[2J\u001b[H';

export function addHot(program: Command, io: Io): void {
  const command = program
    .command('hot')
    .summary('what is read and watched most')
    .description('Shows the documents that are read and watched most, the hottest first.')
    .option('--node <id>', 'of one node (default all, added up)', natural)
    .option('--limit <documents>', `at most so many (default ${LIMIT})`, natural)
    .option('--watch <seconds>', 'again and again, so often', upTo(WATCH_SECONDS_MAX));
  withCommon(command)
    .addHelpText(
      'after',
      `
Rates are of the last seconds. HEAT adds up reads and deliveries to watchers by
what they cost, in reads per second; AT COPIES is what replicas serve beside it.
A document is hot by both together; COPIES says then how many copies are ready,
and how many it should have.

Examples:
  deltabase hot
  deltabase hot --node 1 --limit 5 --json
  deltabase hot --watch 1`,
    )
    .action((options: HotOptions) => hot(new Context(io, options), options));
}

async function hot(context: Context, { node, limit = LIMIT, watch }: HotOptions): Promise<void> {
  const { call, io } = context;
  const options = {
    ...(node === undefined ? {} : { node }),
    ...{ limit, signal: call.signal, deadlineMs: Math.min(call.deadlineMs, NODE_MS) },
  };
  const head = watch !== undefined && io.isTerminal ? CLEAR : '';
  await context.withClient(async (client) => {
    for (;;) {
      const report = await client.cluster.hot(options);
      const documents = report.documents.slice(0, limit);
      const shown = { documents, failed: report.failed };
      await context.show(hotJson(shown), () => head + hotText(context, shown));
      if (watch === undefined) break;
      await pause(watch * 1000, call.signal);
    }
  });
}

/** What is hot, for people. */
export function hotText(
  { paint }: Pick<Context, 'paint'>,
  { documents, failed }: HotReport,
): string {
  const rows = documents.map((document) => {
    const row = rowOf(document);
    return document.copiesWanted > 0 ? row.map((cell) => paint.yellow(cell)) : row;
  });
  const lines = failed.map((failure) => `${paint.red(missingText(failure))}\n`);
  return [...lines, table(COLUMNS, rows, paint.dim)].join('');
}

const COLUMNS = [
  { head: 'DOCUMENT' },
  { head: 'LEADER', align: RIGHT },
  { head: 'READS/s', align: RIGHT },
  { head: 'DELIVERIES/s', align: RIGHT },
  { head: 'BYTES/s', align: RIGHT },
  { head: 'HEAT', align: RIGHT },
  { head: 'AT COPIES', align: RIGHT },
  { head: 'HOT' },
  { head: 'COPIES', align: RIGHT },
];

function rowOf(document: DocumentHeat): string[] {
  const { space, key, leader, copiesWanted } = document;
  return [
    printable(`${space}/${key}`),
    leader === 0 ? '-' : String(leader),
    rate(document.readsPerSecond),
    rate(document.deliveriesPerSecond),
    bytes(document.bytesPerSecond),
    rate(document.heat),
    rate(document.copiesHeat),
    copiesWanted > 0 ? 'hot' : '-',
    copiesWanted > 0 ? `${document.copies.length}/${copiesWanted}` : '-',
  ];
}

function missingText({ node, address, error }: NodeFailure): string {
  const name = node === 0 ? address : `node ${node} (${address})`;
  return `not counted: ${name} does not answer (${error.code})`;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (cause) {
    throw new DeltabaseError('CANCELLED', 'interrupted', { cause });
  }
}
