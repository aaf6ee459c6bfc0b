// deltabase get: a document, or a part of it.

import type { ReadMode } from '@deltabase/client';
import { type Command, InvalidArgumentError } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { printableJson } from '../format/printable.js';
import type { Io } from '../io.js';
import { natural, whole } from '../parse.js';

interface GetOptions extends CommonOptions {
  readonly at?: number;
  readonly mode?: ReadMode;
}

export function addGet(program: Command, io: Io): void {
  const command = program
    .command('get <space> <key> [pointer]')
    .summary('read a document')
    .description('Reads a document, or the part of it at a JSON pointer (RFC 6901).')
    .option('--at <seq>', 'as it was at this seq', natural)
    .option('--mode <mode>', 'linearizable, stale, stale:MS, or a seq it must have', readMode);
  withCommon(command)
    .addHelpText(
      'after',
      `
A linearizable read, the default, sees every message that was answered before it
began; a stale one whatever the node has that answers, with stale:100 what is at
most 100 ms old. With --json, stalenessMs says how old at most it was.

Examples:
  deltabase get counter visits
  deltabase get counter visits /n --at 1
  deltabase get counter visits --mode stale --json`,
    )
    .action((space: string, key: string, pointer: string | undefined, options: GetOptions) =>
      get(new Context(io, options), { space, key, pointer: pointer ?? '' }, options),
    );
}

async function get(
  context: Context,
  { space, key, pointer }: { space: string; key: string; pointer: string },
  { at, mode = 'linearizable' }: GetOptions,
): Promise<void> {
  const past = at === undefined ? {} : { atSeq: at };
  const result = await context.withClient(
    (client) => client.document(space, key).get({ ...context.call, pointer, mode, ...past }),
    { clusterNeeded: mode !== 'stale' || at !== undefined },
  );
  const { seq, hash, value, stalenessMs } = result;
  await context.show({ seq, hash, value, stalenessMs }, () => `${printableJson(value)}\n`);
}

function readMode(text: string): ReadMode {
  if (text === 'linearizable' || text === 'stale') return text;
  const [, within] = /^stale:(\d+)$/.exec(text) ?? [];
  if (within !== undefined) return { withinMs: whole(within) };
  if (/^\d+$/.test(text)) return { atLeastSeq: whole(text) };
  throw new InvalidArgumentError('Use linearizable, stale, stale:MS, or a seq.');
}
