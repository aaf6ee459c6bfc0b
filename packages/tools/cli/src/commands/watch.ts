// deltabase watch: a document as it changes.

import type { Command } from 'commander';
import { type CommonOptions, Context, positive, whole, withCommon } from '../context.js';
import { deltaText } from '../format/deltas.js';
import type { Io } from '../io.js';

interface WatchOptions extends CommonOptions {
  readonly after?: number;
  readonly count?: number;
}

export function addWatch(program: Command, io: Io): void {
  withCommon(program.command('watch <space> <key>'))
    .description('follow a document: its state, then every delta as it is committed')
    .option('--after <seq>', 'begin behind this seq instead of with the state', whole)
    .option('--count <events>', 'end after so many events', positive)
    .addHelpText(
      'after',
      `
It goes on by itself when nodes come and go, without gap or repeat. Ctrl-C ends it.

Examples:
  deltabase watch counter visits
  deltabase watch counter visits --after 10 --json`,
    )
    .action((space: string, key: string, options: WatchOptions) =>
      watch(new Context(io, options), space, key, options),
    );
}

async function watch(
  context: Context,
  space: string,
  key: string,
  { after, count = Infinity }: WatchOptions,
): Promise<void> {
  const { paint, deadlineMs } = context;
  await context.withClient(async (client) => {
    const options = { deadlineMs, ...(after === undefined ? {} : { afterSeq: after }) };
    let seen = 0;
    for await (const event of client.document(space, key).watch(options)) {
      await context.show(event, () => {
        if (event.kind === 'delta') return deltaText(event, paint);
        const state = JSON.stringify(event.value, undefined, 2);
        return `${paint.cyan(`seq ${event.seq}`)}  hash ${event.hash}\n${state}\n`;
      });
      if (++seen >= count) break;
    }
  });
}
