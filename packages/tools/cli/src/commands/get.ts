// deltabase get: a document, or a part of it.

import { DeltabaseError } from '@deltabase/base';
import type { ReadMode } from '@deltabase/client';
import type { Command } from 'commander';
import { type CommonOptions, Context, whole, withCommon } from '../context.js';
import type { Io } from '../io.js';

interface GetOptions extends CommonOptions {
  readonly at?: number;
  readonly mode?: string;
}

export function addGet(program: Command, io: Io): void {
  withCommon(program.command('get <space> <key> [pointer]'))
    .description('read a document, or the part of it at a JSON pointer (RFC 6901)')
    .option('--at <seq>', 'as it was at this seq', whole)
    .option('--mode <mode>', 'how fresh: linearizable, stale, or a seq it must have reached')
    .addHelpText(
      'after',
      `
Examples:
  deltabase get counter visits
  deltabase get counter visits /count --at 3
  deltabase get counter visits --mode stale --json`,
    )
    .action((space: string, key: string, pointer: string | undefined, options: GetOptions) =>
      get(new Context(io, options), { space, key, pointer: pointer ?? '' }, options),
    );
}

async function get(
  context: Context,
  { space, key, pointer }: { space: string; key: string; pointer: string },
  { at, mode }: GetOptions,
): Promise<void> {
  const result = await context.withClient((client) =>
    client.document(space, key).get({
      pointer,
      mode: modeOf(mode),
      deadlineMs: context.deadlineMs,
      ...(at === undefined ? {} : { atSeq: at }),
    }),
  );
  await context.show(result, () => `${JSON.stringify(result.value, undefined, 2)}\n`);
}

function modeOf(text: string | undefined): ReadMode {
  if (text === undefined || text === 'linearizable') return 'linearizable';
  if (text === 'stale') return 'stale';
  if (/^\d+$/.test(text)) return { atLeastSeq: whole(text) };
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `--mode ${JSON.stringify(text)}: use linearizable, stale, or a seq`,
  );
}
