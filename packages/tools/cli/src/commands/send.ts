// deltabase send: one message, or as many as there are lines of input.

import { DeltabaseError, toDeltabaseError } from '@deltabase/base';
import type { Client, Json, JsonObject, SendResult } from '@deltabase/client';
import type { Command } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { exitCodeOf } from '../exit.js';
import { type Line, readLines, readPayload } from '../input.js';
import type { Io } from '../io.js';

interface SendOptions extends CommonOptions {
  readonly ndjson?: boolean;
}

/** Lines that are sent and not answered; what more there is waits to be read. */
const IN_FLIGHT_MAX = 1000;

export function addSend(program: Command, io: Io, endWith: (code: number) => void): void {
  withCommon(program.command('send [space] [key] [channel] [payload]'))
    .description('send a message to a document, or one for each line of input')
    .option('--ndjson', 'each line of the input is a message; see below')
    .addHelpText(
      'after',
      `
The payload is JSON, "-" for standard input, or "@file"; without it the handler gets null.

With --ndjson each line of the payload argument ("-" by default, or "@file") is one message. They are
sent together and answered in their order. A line is the payload if space, key and channel are given;
otherwise it is an object with those of space, key and channel that are not, and payload.

Examples:
  deltabase send counter visits add '{"by": 2}'
  deltabase send text readme insert @edit.json
  seq 1000 | deltabase send counter visits add --ndjson
  deltabase send counter --ndjson <<< '{"key": "visits", "channel": "add", "payload": {"by": 1}}'`,
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
        return sendLines(context, place, payload, endWith);
      },
    );
}

/** What of a message the command line says. */
interface Place {
  readonly space: string | undefined;
  readonly key: string | undefined;
  readonly channel: string | undefined;
}

interface Message {
  readonly space: string;
  readonly key: string;
  readonly channel: string;
  readonly payload: Json | undefined;
}

async function sendOne(
  context: Context,
  { space, key, channel }: Place,
  argument: string | undefined,
): Promise<void> {
  if (space === undefined || key === undefined || channel === undefined) {
    const why = 'name space, key and channel, or give --ndjson with lines that do';
    throw new DeltabaseError('INVALID_ARGUMENT', why);
  }
  const payload = await readPayload(argument, context.io);
  const { deadlineMs } = context;
  const result = await context.withClient((client) =>
    client.document(space, key).send(channel, payload, { deadlineMs }),
  );
  await context.show(result, () => resultText(result));
}

type Answer = { readonly line: number } & (
  | { readonly result: SendResult }
  | { readonly error: DeltabaseError }
);

async function sendLines(
  context: Context,
  place: Place,
  argument: string | undefined,
  endWith: (code: number) => void,
): Promise<void> {
  await context.withClient(async (client) => {
    const answers: Promise<Answer>[] = [];
    for await (const line of readLines(argument, context.io)) {
      answers.push(sendLine(client, messageOf(line, place), line.number, context.deadlineMs));
      if (answers.length >= IN_FLIGHT_MAX) await showAnswer(context, answers.shift()!, endWith);
    }
    for (const answer of answers) await showAnswer(context, answer, endWith);
  });
}

async function sendLine(
  client: Client,
  { space, key, channel, payload }: Message,
  line: number,
  deadlineMs: number,
): Promise<Answer> {
  try {
    return {
      line,
      result: await client.document(space, key).send(channel, payload, { deadlineMs }),
    };
  } catch (thrown) {
    return { line, error: toDeltabaseError(thrown) };
  }
}

async function showAnswer(
  context: Context,
  pending: Promise<Answer>,
  endWith: (code: number) => void,
): Promise<void> {
  const answer = await pending;
  const { line } = answer;
  if ('result' in answer) {
    const { result } = answer;
    await context.show({ line, ...result }, () => resultText(result));
    return;
  }
  const { code, message, details } = answer.error;
  endWith(exitCodeOf(answer.error));
  if (context.isJson) await context.show({ line, error: { code, message, details } }, () => '');
  else context.io.err(`deltabase: line ${line}: ${message} (${code})\n`);
}

function resultText({ seq, reply }: SendResult): string {
  return reply === undefined ? `seq ${seq}\n` : `seq ${seq}  ${JSON.stringify(reply)}\n`;
}

/** The message that a line says, with what the command line says of all. */
function messageOf({ number, value }: Line, { space, key, channel }: Place): Message {
  if (space !== undefined && key !== undefined && channel !== undefined) {
    return { space, key, channel, payload: value };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(number, 'it must be an object, for space, key and channel are not all given');
  }
  const fields = value as JsonObject;
  return {
    space: space ?? textIn(fields, 'space', number),
    key: key ?? textIn(fields, 'key', number),
    channel: channel ?? textIn(fields, 'channel', number),
    payload: fields['payload'],
  };
}

function textIn(fields: JsonObject, name: string, line: number): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw malformed(line, `"${name}" must be a string`);
}

function malformed(line: number, why: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', `line ${line}: ${why}`);
}
