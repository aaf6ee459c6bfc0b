// How a message ends for whoever sent it, as plain data: errors are common here, so they cost no stack trace.

import { DeltabaseError, type ErrorCode, type ErrorDetails } from '@deltabase/base';
import type { Message } from '@deltabase/machine';

/** It did not take effect (or may not have: see the code's retry rule). */
export interface Failure {
  readonly kind: 'failed';
  readonly code: ErrorCode;
  /** What is wrong and what to do. */
  readonly message: string;
  readonly details: ErrorDetails;
}

/** It took effect; `seq` is the document's after it, unchanged if the handler emitted nothing. */
export interface Acceptance {
  readonly kind: 'accepted';
  readonly seq: number;
  /** Canonical JSON; `undefined`: the handler gave no reply. */
  readonly reply: Uint8Array | undefined;
}

export type Result = Acceptance | Failure;

const NO_DETAILS: ErrorDetails = {};

export function failure(code: ErrorCode, message: string, details = NO_DETAILS): Failure {
  return { kind: 'failed', code, message, details };
}

/** How long whoever found a queue full should leave it alone. */
const RETRY_AFTER_MS = 100;

/** A queue is full; `message` says which, and what to do. */
export function overloaded(message: string): Failure {
  return failure('OVERLOADED', message, { retryAfterMs: RETRY_AFTER_MS });
}

export function failureOf(error: DeltabaseError): Failure {
  return failure(error.code, error.message, error.details);
}

/** The error class for a failure that leaves by a call of its own. */
export function errorOf({ code, message, details }: Failure): DeltabaseError {
  return new DeltabaseError(code, message, { details });
}

/** Where answers go: one for each client stream. */
export interface AnswerSink {
  /** Whether nobody waits for answers any more: what was not executed yet need not be. */
  readonly isGone?: boolean;
  /** Called once for each message submitted with this sink, in the order of the answers. */
  answer(tag: number, result: Result): void;
  /** Called at the end of every turn in which there was an answer. */
  flush(): void;
}

/** A message on its way through this node. */
export interface Submission {
  readonly message: Message;
  readonly sink: AnswerSink;
  /** The sink's own name for it. */
  readonly tag: number;
  /** Until when an answer is of use, by the monotonic clock, ms. */
  readonly expiresMs: number;
}
