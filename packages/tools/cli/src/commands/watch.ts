// deltabase watch: a document as it changes.

import type { Command } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { deltaText } from '../format/deltas.js';
import { watchEventJson } from '../format/json.js';
import { printableJson } from '../format/printable.js';
import type { Io } from '../io.js';
import { natural, whole } from '../parse.js';

interface WatchOptions extends CommonOptions {
  readonly after?: number;
  readonly count?: number;
}

export function addWatch(program: Command, io: Io): void {
  const command = program
    .command('watch <space> <key>')
    .summary('follow a document as it changes')
    .description('Follows a document: its state, then every delta once it is committed.')
    .option('--after <seq>', 'begin behind it instead of with the state', whole)
    .option('--count <events>', 'end after so many events', natural);
  withCommon(command)
    .addHelpText(
      'after',
      `
It goes on by itself when nodes come and go, without gap or repeat, and gives up
when it has reached none for as long as --timeout says. Ctrl-C ends it.

Examples:
  deltabase watch counter visits --count 1
  deltabase watch counter visits --after 1 --json`,
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
  const { paint } = context;
  const behind = after === undefined ? {} : { afterSeq: after };
  await context.withClient(async (client) => {
    let seen = 0;
    for await (const event of client.document(space, key).watch({ ...context.call, ...behind })) {
      await context.show(watchEventJson(event), () => {
        if (event.kind === 'delta') return deltaText(event, paint);
        const head = `${paint.cyan(`seq ${event.seq}`)}  hash ${event.hash}`;
        return `${head}\n${printableJson(event.value)}\n`;
      });
      if (++seen >= count) break;
    }
  });
}
