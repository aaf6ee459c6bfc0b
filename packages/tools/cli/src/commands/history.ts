// deltabase history: the deltas that made a document, with their causes, from a running cluster or from the
// data of a node that does not run.

import { DeltabaseError } from '@deltabase/base';
import type { Json } from '@deltabase/client';
import { inspectHistory } from '@deltabase/engine';
import type { Command } from 'commander';
import { type CommonOptions, Context, positive, withCommon } from '../context.js';
import { type Delta, deltaOfRecord, deltaText } from '../format/deltas.js';
import type { Io } from '../io.js';
import { withOfflineData } from '../offline/open-data.js';

interface HistoryOptions extends CommonOptions {
  readonly from?: number;
  readonly limit?: number;
  readonly data?: string;
}

/** Which deltas. */
interface Range {
  readonly space: string;
  readonly key: string;
  readonly from: number;
  readonly limit: number;
}

interface ShownDelta extends Delta {
  /** Whether it is known to be committed; a node's files may not tell of the last ones. */
  readonly committed: boolean;
}

export function addHistory(program: Command, io: Io): void {
  withCommon(program.command('history <space> <key>'))
    .description('every delta of a document: seq, time, cause (message, sender), patch')
    .option('--from <seq>', 'the first seq wanted', positive)
    .option('--limit <deltas>', 'at most so many', positive)
    .option('--data <directory>', 'read the data directory of a node that does not run')
    .addHelpText(
      'after',
      `
Examples:
  deltabase history counter visits
  deltabase history counter visits --from 100 --limit 10 --json
  deltabase history counter visits --data deltabase-data`,
    )
    .action((space: string, key: string, options: HistoryOptions) =>
      history(new Context(io, options), space, key, options),
    );
}

async function history(
  context: Context,
  space: string,
  key: string,
  { from = 1, limit = Infinity, data }: HistoryOptions,
): Promise<void> {
  const range = { space, key, from, limit };
  if (data !== undefined) {
    await showStored(context, data, range);
    return;
  }
  await context.withClient(async (client) => {
    const { deadlineMs } = context;
    for await (const delta of client.document(space, key).history({ from, limit, deadlineMs })) {
      await show(context, { ...delta, committed: true });
    }
  });
}

async function showStored(
  context: Context,
  dataDir: string,
  { space, key, from, limit }: Range,
): Promise<void> {
  await withOfflineData(dataDir, async (data) => {
    let next = from;
    for (const end = from + limit; next < end; ) {
      const request = { space, key, fromSeq: next };
      const page = await data.run((disk) => inspectHistory(disk, request));
      if (page.length === 0) break;
      for (const { record, committed } of page.slice(0, end - next)) {
        await show(context, { ...deltaOfRecord(record), committed });
      }
      next = page.at(-1)!.record.seq + 1;
    }
    if (next > from || from > 1) return;
    const why = `${space}/${key} has no history in ${dataDir}`;
    throw new DeltabaseError('DOCUMENT_NOT_FOUND', why);
  });
}

function show(context: Context, delta: ShownDelta): Promise<void> {
  return context.show(deltaJson(delta), () => {
    const text = deltaText(delta, context.paint);
    return delta.committed ? text : `${text}    not known to be committed\n`;
  });
}

/** A delta for programs, its members in a fixed order. */
function deltaJson({ seq, time, hash, cause, patch, committed }: ShownDelta): Json {
  return {
    seq,
    time,
    hash,
    committed,
    cause: { ...cause },
    patch: patch as unknown as Json,
  };
}
