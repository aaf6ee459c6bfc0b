// Errors between the wire and the caller: what nodes say becomes a DeltabaseError, and what the client gives
// up says whether the message may have taken effect.

import {
  DeltabaseError,
  ERRORS,
  type ErrorCode,
  type ErrorDetails,
  isErrorCode,
} from '@deltabase/base';
import type { Outgoing } from './sending/outgoing.js';
import type { WireError } from './transport/wire.js';

/** The error that a node sent. A code of a later release becomes INTERNAL and is named in the message. */
export function errorFromWire({ code, message, details }: WireError): DeltabaseError {
  if (isErrorCode(code)) return new DeltabaseError(code, message, { details: typed(details) });
  const why = `the node answered ${code}, which this client does not know: ${message}`;
  return new DeltabaseError('INTERNAL', why, { details: { ...typed(details), code } });
}

/**
 * The code for a call that failed with a gRPC status and no error of ours, and whether it may be mended. What
 * this client cancelled itself is known where it did: another CANCELLED means that the node, or something on
 * the way, has let go of the call, as a node does that stops and cannot wait for a slow reader.
 */
export function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case ERRORS.CANCELLED.grpc:
      return 'UNAVAILABLE';
    case ERRORS.INVALID_ARGUMENT.grpc:
      return 'INVALID_ARGUMENT';
    case ERRORS.DEADLINE_EXCEEDED.grpc:
      return 'DEADLINE_EXCEEDED';
    case ERRORS.OVERLOADED.grpc:
      return 'OVERLOADED';
    case ERRORS.UNAVAILABLE.grpc:
      return 'UNAVAILABLE';
    default:
      return 'INTERNAL';
  }
}

/** The deadline of a message has passed. */
export function deadlineExceeded(message: Outgoing): DeltabaseError {
  const { timeoutMs, lastError } = message;
  const last = lastError === undefined ? '' : ` (last: ${lastError.message})`;
  return givenUp(message, 'DEADLINE_EXCEEDED', `no answer within ${timeoutMs} ms${last}`);
}

/** The caller, or the client as it closed, gave a message up. */
export function givenUp(message: Outgoing, code: ErrorCode, why: string): DeltabaseError {
  const outcomeUnknown = message.uncertain || (message.inFlight && message.written);
  const advice = outcomeUnknown
    ? 'the message may or may not have taken effect: read the document to learn it'
    : 'the message took no effect: it can be sent again';
  const cause = message.lastError;
  return new DeltabaseError(code, `${why}; ${advice}`, { details: { outcomeUnknown }, cause });
}

/**
 * The message ran and changed nothing, and its answer is lost: see lane.ts. That is the copy which ran before
 * the message after it; if there was another one, a node that stood still may run that one yet.
 */
export function answerLost(message: Outgoing): DeltabaseError {
  const outcomeUnknown = message.lostCopies > 1;
  return new DeltabaseError(
    'UNAVAILABLE',
    'the message was executed and changed nothing, and its answer was lost with the leader; running it ' +
      'again now would put it behind later ones: send it as a new message if it still makes sense',
    { details: { outcomeUnknown, answerLost: true }, cause: message.lastError },
  );
}

/**
 * `error` as the last word on `message`: it says so if an earlier copy may have taken effect. What a leader ran
 * is certain: where earlier copies may be on their way, the cluster has remembered this answer for them.
 */
export function finalError(message: Outgoing, error: DeltabaseError): DeltabaseError {
  if (!message.uncertain || provesExecution(error.code)) return error;
  return new DeltabaseError(error.code, error.message, {
    details: { ...error.details, outcomeUnknown: true },
    cause: error,
  });
}

/** Whether the code is only given to messages that a leader ran. */
export function provesExecution(code: ErrorCode): boolean {
  return RAN.has(code);
}

const RAN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'REJECTED',
  'TRAPPED',
  'BAD_OUTPUT',
  'BAD_PATCH',
  'OUT_OF_FUEL',
  'OUT_OF_MEMORY',
  'STACK_OVERFLOW',
  'OUTPUT_TOO_LARGE',
  'DOCUMENT_TOO_LARGE',
  'CHANNEL_NOT_FOUND',
]);

/** Details travel as texts; numbers and flags become themselves again. */
function typed(details: Readonly<Record<string, string>>): ErrorDetails {
  const entries = Object.entries(details).map(([name, text]) => [name, typedValue(text)] as const);
  return Object.fromEntries(entries);
}

function typedValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text === String(number) && Number.isFinite(number) ? number : text;
}
