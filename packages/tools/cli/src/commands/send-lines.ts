// Many messages, one for each line of input. Answers are shown in the order of the lines, as soon as they and
// all before them are there, while input goes on to be read; of what is sent and not shown there is a limit.

import { DeltabaseError, toDeltabaseError } from '@deltabase/base';
import type { Client, Json, JsonObject, SendResult } from '@deltabase/client';
import type { Context } from '../context.js';
import { errorJson, errorText, exitCodeOf } from '../exit.js';
import { type Line, readLines } from '../input.js';
import { OutputClosed } from '../io.js';
import { mapInOrder } from '../map-in-order.js';

/** Lines that are sent and not answered; what more there is waits to be read. */
const IN_FLIGHT_MAX = 1000;

/** What of a message the command line says. */
export interface Place {
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

type Answer = { readonly line: number } & (
  | { readonly result: SendResult }
  | { readonly error: DeltabaseError }
);

interface Request {
  readonly place: Place;
  /** Where the lines are: `-`, `@file`, or nothing. */
  readonly argument: string | undefined;
  readonly resultText: (result: SendResult) => string;
}

/**
 * Sends the lines. The first that fails, a malformed one included, gives the exit code. Throws what ended the input
 * before its end, once what stood before it is answered; but tells it only, if it is malformed and another failed first.
 */
export async function sendLines(
  context: Context,
  { place, argument, resultText }: Request,
  endWith: (code: number) => void,
): Promise<void> {
  const messages = messagesOf(readLines(argument, context.io), place);
  let failed = 0;
  let shown = 0;
  const sendAll = async (client: Client): Promise<void> => {
    const send = (message: Message & { line: number }) => sendLine(client, message, context);
    for await (const answer of mapInOrder(messages, send, IN_FLIGHT_MAX)) {
      if ('error' in answer && failed++ === 0) endWith(exitCodeOf(answer.error));
      await showAnswer(context, answer, resultText).catch((thrown) => {
        throw thrown instanceof OutputClosed ? unread(shown) : thrown;
      });
      shown = answer.line;
    }
  };
  try {
    await context.withClient(sendAll);
  } catch (thrown) {
    if (failed === 0 || !isMalformed(thrown)) throw thrown;
    context.io.err(errorText(thrown, context.isJson));
  }
  if (failed > 0) context.note(`${failed} of the messages failed`);
}

async function* messagesOf(
  lines: AsyncIterable<Line>,
  place: Place,
): AsyncGenerator<Message & { line: number }> {
  for await (const line of lines) yield { line: line.number, ...messageOf(line, place) };
}

/** Never rejects. */
async function sendLine(
  client: Client,
  { line, space, key, channel, payload }: Message & { line: number },
  { call }: Context,
): Promise<Answer> {
  try {
    return { line, result: await client.document(space, key).send(channel, payload, call) };
  } catch (thrown) {
    return { line, error: toDeltabaseError(thrown) };
  }
}

async function showAnswer(
  context: Context,
  answer: Answer,
  resultText: (result: SendResult) => string,
): Promise<void> {
  const { line } = answer;
  if ('result' in answer) {
    const { result } = answer;
    await context.show({ line, ...result }, () => resultText(result));
  } else if (context.isJson) {
    await context.show({ line, error: errorJson(answer.error) }, () => '');
  } else {
    context.io.err(errorText(answer.error, false, `line ${line}: `));
  }
}

/** Without a reader nothing more is sent, which is not what was asked for. */
function unread(line: number): DeltabaseError {
  const why = `nobody reads the answers: of the messages behind line ${line} some may have been sent`;
  return new DeltabaseError('CANCELLED', why);
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

/** Whether it is a line that ended the input, rather than an interruption or a reader that went away. */
function isMalformed(thrown: unknown): boolean {
  return thrown instanceof DeltabaseError && thrown.code === 'INVALID_ARGUMENT';
}

function malformed(line: number, why: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', `line ${line}: ${why}`);
}
