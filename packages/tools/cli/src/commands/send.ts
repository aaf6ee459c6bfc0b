// deltabase send: one message, or as many as there are lines of input.

import { DeltabaseError } from '@deltabase/base';
import type { SendResult } from '@deltabase/client';
import type { Command } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { printable } from '../format/printable.js';
import { readPayload } from '../input.js';
import type { Io } from '../io.js';
import { type Place, sendLines } from './send-lines.js';

interface SendOptions extends CommonOptions {
  readonly ndjson?: boolean;
}

export function addSend(program: Command, io: Io, endWith: (code: number) => void): void {
  const command = program
    .command('send [space] [key] [channel] [payload]')
    .summary('send messages to documents')
    .description('Sends a message to a document, or one for each line of input.')
    .option('--ndjson', 'each line of the input is a message; see below');
  withCommon(command)
    .addHelpText(
      'after',
      `
The payload is JSON, "-" for standard input, or "@file"; without it the handler
gets null. The answer comes once the message is on stable storage of a quorum:
the seq of the document, and the reply.

With --ndjson each line of the payload argument ("-" by default, or "@file") is
one message. They are sent together, in their order to each document, and
answered in their order. One that fails does not stop the others; the exit code
is that of the first that did. A line is the payload if space, key and channel
are given; otherwise it is an object with those of "space", "key" and "channel"
that are not, and "payload". A line that is no such thing fails too, and ends
the input.

Examples:
  deltabase send counter visits add '{"by": 2}'
  deltabase send counter visits add @add.json --json
  seq 1000 | deltabase send counter visits add --ndjson
  echo '{"key": "visits", "channel": "add"}' | deltabase send counter --ndjson`,
    )
    .action(
      (
        space: string | undefined,
        key: string | undefined,
        channel: string | undefined,
        payload: string | undefined,
        options: SendOptions,
      ) => {
        const context = new Context(io, options);
        const place = { space, key, channel };
        if (options.ndjson !== true) return sendOne(context, place, payload);
        return sendLines(context, { place, argument: payload, resultText }, endWith);
      },
    );
}

async function sendOne(
  context: Context,
  { space, key, channel }: Place,
  argument: string | undefined,
): Promise<void> {
  if (space === undefined || key === undefined || channel === undefined) {
    const why =
      'name space, key and channel, as in deltabase send counter visits add, or give --ndjson with ' +
      'lines that do';
    throw new DeltabaseError('INVALID_ARGUMENT', why);
  }
  const payload = await readPayload(argument, context.io);
  const result = await context.withClient((client) =>
    client.document(space, key).send(channel, payload, context.call),
  );
  await context.show(result, () => resultText(result));
}

function resultText({ seq, reply }: SendResult): string {
  return reply === undefined ? `seq ${seq}\n` : `seq ${seq}  ${printable(JSON.stringify(reply))}\n`;
}
