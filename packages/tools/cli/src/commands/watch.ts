// deltabase watch: a document as it changes.

import type { AnyWatchEvent, Json, WatchPolicy } from '@deltabase/client';
import { type Command, Option } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { composedText, deltaText } from '../format/deltas.js';
import { watchEventJson } from '../format/json.js';
import type { Paint } from '../format/paint.js';
import { printableJson } from '../format/printable.js';
import type { Io } from '../io.js';
import { collect, natural, upTo, whole } from '../parse.js';

interface WatchOptions extends CommonOptions {
  readonly after?: number;
  readonly count?: number;
  readonly latest?: boolean;
  readonly perSecond?: number;
  readonly pointer?: readonly string[];
}

/** More events in a second than a node gives. */
const PER_SECOND_MAX = 1000;

export function addWatch(program: Command, io: Io): void {
  const command = program
    .command('watch <space> <key>')
    .summary('follow a document as it changes')
    .description('Follows a document: its state, then every delta once it is committed.')
    .option('--after <seq>', 'begin behind it instead of with the state', whole)
    .option('--count <events>', 'end after so many events', natural)
    .option('--pointer <pointer>', 'only what is there (repeat it)', collect)
    .option('--latest', 'skip to the newest state whenever it lags, by one patch')
    .addOption(
      new Option('--per-second <events>', 'at most so many events a second, 0.01 at least')
        .argParser(upTo(PER_SECOND_MAX))
        .conflicts('latest'),
    );
  withCommon(command)
    .addHelpText(
      'after',
      `
It goes on by itself when nodes come and go, without gap or repeat, and gives up
when it has reached none for as long as --timeout says. Ctrl-C ends it.

Where every delta is more than is wanted, --latest and --per-second give several
of them in one; each event leads on from the one before.

With --pointer it follows only what is at these JSON pointers (RFC 6901). What
happens elsewhere is left out; now and then a line says how far nothing of it
has changed.

Examples:
  deltabase watch counter visits --count 1
  deltabase watch counter visits --after 1 --json
  deltabase watch counter visits --per-second 2
  deltabase watch counter visits --pointer /n`,
    )
    .action((space: string, key: string, options: WatchOptions) =>
      watch(new Context(io, options), space, key, options),
    );
}

async function watch(
  context: Context,
  space: string,
  key: string,
  { after, count = Infinity, latest = false, perSecond, pointer: pointers = [] }: WatchOptions,
): Promise<void> {
  const { paint } = context;
  const behind = after === undefined ? {} : { afterSeq: after };
  const policy = policyOf(latest, perSecond);
  const isOfView = pointers.length > 0;
  await context.withClient(async (client) => {
    let seen = 0;
    const events = client
      .document(space, key)
      .watch({ policy, pointers, ...context.call, ...behind });
    for await (const event of events) {
      await context.show(watchEventJson(event), () => eventText(event, paint, isOfView));
      if (event.kind !== 'progress' && ++seen >= count) break;
    }
  });
}

function policyOf(latest: boolean, perSecond: number | undefined): WatchPolicy {
  if (latest) return 'latest';
  return perSecond === undefined ? 'every' : { perSecond };
}

function eventText(event: AnyWatchEvent<Json>, paint: Paint, isOfView: boolean): string {
  if (event.kind === 'delta') return deltaText(event, paint);
  if (event.kind === 'composed') return composedText(event, paint, { isOfView });
  if (event.kind === 'progress') return paint.dim(`seq ${event.seq}  nothing of it has changed\n`);
  const head = `${paint.cyan(`seq ${event.seq}`)}  hash ${event.hash}`;
  return `${head}\n${printableJson(event.value)}\n`;
}
