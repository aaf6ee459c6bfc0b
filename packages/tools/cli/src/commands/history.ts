// deltabase history: the deltas that made a document, with their causes, from a running cluster or from the
// data of a node that does not run.

import type { Command } from 'commander';
import { Context, withCommon } from '../context.js';
import { deltaText } from '../format/deltas.js';
import { deltaJson } from '../format/json.js';
import type { Io } from '../io.js';
import { natural } from '../parse.js';
import {
  type DeltaRange,
  type SourceOptions,
  type StoredDelta,
  withData,
  withSource,
} from '../source/source.js';

interface HistoryOptions extends SourceOptions {
  readonly from?: number;
  readonly limit?: number;
}

export function addHistory(program: Command, io: Io): void {
  const command = program
    .command('history <space> <key>')
    .summary('the deltas that made a document')
    .description('Shows the deltas that made a document: seq, time, cause and patch of each.')
    .option('--from <seq>', 'the first seq wanted (default 1)', natural)
    .option('--limit <deltas>', 'at most so many', natural);
  withCommon(withData(command))
    .addHelpText(
      'after',
      `
Examples:
  deltabase history counter visits
  deltabase history counter visits --from 2 --limit 10 --json
  deltabase history counter visits --data deltabase-data`,
    )
    .action((space: string, key: string, options: HistoryOptions) => {
      const { from = 1, limit = Infinity } = options;
      return history(new Context(io, options), { space, key, from, limit }, options);
    });
}

function history(context: Context, range: DeltaRange, options: SourceOptions): Promise<void> {
  return withSource(context, options, async (source) => {
    let shown = 0;
    for await (const delta of source.deltas(range)) {
      await show(context, delta);
      shown++;
    }
    if (shown > 0) return;
    context.note(`${range.space}/${range.key} has no delta from seq ${range.from} on`);
  });
}

function show(context: Context, delta: StoredDelta): Promise<void> {
  const { committed } = delta;
  return context.show({ ...deltaJson(delta), committed }, () => {
    const text = deltaText(delta, context.paint);
    return committed ? text : `${text}    ${context.paint.yellow('not known to be committed')}\n`;
  });
}
