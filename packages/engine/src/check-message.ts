// What a message must be before anything else looks at it, whoever sent it: names that can be names, sizes
// within the limits, numbers that are whole. Everything behind this relies on it.

import { DeltabaseError, exceedsUtf8, type Limits } from '@deltabase/base';
import {
  checkChannelName,
  checkDocumentKey,
  checkSpaceName,
  type Message,
  SYSTEM_SPACE,
} from '@deltabase/machine';
import { type Failure, failure, failureOf } from './results.js';

/** What is wrong with a document's name; `undefined`: nothing. */
export function nameProblem(space: string, key: string, limits: Limits): Failure | undefined {
  return problemOf(() => {
    if (space !== SYSTEM_SPACE) checkSpaceName(space, limits);
    checkDocumentKey(key, limits);
  });
}

/** What is wrong with a space's name; `undefined`: nothing. */
export function spaceProblem(space: string, limits: Limits): Failure | undefined {
  return problemOf(() => checkSpaceName(space, limits));
}

/** What is wrong with a message; `undefined`: nothing. */
export function messageProblem(message: Message, limits: Limits): Failure | undefined {
  return problemOf(() => {
    if (message.space !== SYSTEM_SPACE) checkSpaceName(message.space, limits);
    checkDocumentKey(message.key, limits);
    checkChannelName(message.channel, limits);
    checkSizes(message, limits);
    checkNumbers(message);
  });
}

/** A number that counts from `min`, or INVALID_ARGUMENT. */
export function countProblem(name: string, value: number, min: number): Failure | undefined {
  if (Number.isSafeInteger(value) && value >= min) return undefined;
  return failure('INVALID_ARGUMENT', `${name} is ${value}: use a whole number of at least ${min}`);
}

function checkSizes({ payload, principal, session }: Message, limits: Limits): void {
  if (payload.length > limits.payloadBytesMax) {
    const max = limits.payloadBytesMax;
    throw invalid(`the payload has ${payload.length} bytes, ${max} are allowed`);
  }
  checkText('session name', session.name, limits.sessionNameBytesMax);
  checkText('principal', principal, limits.principalBytesMax);
}

function checkText(what: string, text: string, bytesMax: number): void {
  if (exceedsUtf8(text, bytesMax)) throw invalid(`the ${what} is longer than ${bytesMax} bytes`);
  if (!text.isWellFormed()) throw invalid(`the ${what} holds a lone surrogate: remove it`);
}

function checkNumbers({ session, number, after }: Message): void {
  const isNumbered = session.name !== '';
  if (!isCount(number) || number > 0 !== isNumbered) {
    throw invalid('messages of a session are numbered from 1, those without one have number 0');
  }
  if (!isCount(session.openedAt) || !isCount(session.settled) || !isCount(after)) {
    throw invalid('openedAt, settled and after are whole numbers of at least 0');
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function invalid(message: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message);
}

function problemOf(check: () => void): Failure | undefined {
  try {
    check();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return failureOf(thrown);
  }
}
