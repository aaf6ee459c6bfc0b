// Every expected error of Deltabase, in one closed table: what a caller may do about it and how each
// protocol shows it. docs/errors.md is the same table for readers; a test holds the two together.
// Bugs are AssertionErrors and fatal storage faults stop the process; neither is in here.

/** What a caller may do on its own: give up, ask again later, or resend in order. */
export type RetryRule = 'never' | 'later' | 'in-order';

interface ErrorFacts {
  readonly retry: RetryRule;
  /** Canonical gRPC status code (google.rpc.Code). */
  readonly grpc: number;
  readonly http: number;
  /** Exit code of the command line. */
  readonly exit: number;
  readonly meaning: string;
}

const GRPC = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
} as const;

/** The closed table: code to retry rule, gRPC status, HTTP status and exit code. */
export const ERRORS = {
  INVALID_ARGUMENT: row('never', GRPC.INVALID_ARGUMENT, 400, 2, 'the request is malformed'),
  SPACE_NOT_FOUND: row('never', GRPC.NOT_FOUND, 404, 3, 'no machine is deployed under this name'),
  DOCUMENT_NOT_FOUND: row('never', GRPC.NOT_FOUND, 404, 3, 'the document has had no message yet'),
  POINTER_NOT_FOUND: row('never', GRPC.NOT_FOUND, 404, 3, 'the document holds nothing there'),
  CHANNEL_NOT_FOUND: row('never', GRPC.NOT_FOUND, 404, 3, 'the machine has no such handler'),
  REJECTED: row('never', GRPC.FAILED_PRECONDITION, 409, 4, 'the handler refused the message'),
  TRAPPED: row('never', GRPC.UNKNOWN, 422, 1, 'the handler hit a WebAssembly trap'),
  BAD_OUTPUT: row('never', GRPC.UNKNOWN, 422, 1, 'the handler gave the host bytes it may not give'),
  BAD_PATCH: row('never', GRPC.UNKNOWN, 422, 1, 'an operation does not fit the document'),
  OUT_OF_FUEL: row('never', GRPC.RESOURCE_EXHAUSTED, 422, 1, 'the handler ran for too long'),
  OUT_OF_MEMORY: row('never', GRPC.RESOURCE_EXHAUSTED, 422, 1, 'the handler needs more memory'),
  STACK_OVERFLOW: row('never', GRPC.RESOURCE_EXHAUSTED, 422, 1, 'the handler recursed too deep'),
  OUTPUT_TOO_LARGE: row('never', GRPC.RESOURCE_EXHAUSTED, 422, 1, 'the delta or reply is too big'),
  DOCUMENT_TOO_LARGE: row(
    'never',
    GRPC.RESOURCE_EXHAUSTED,
    413,
    4,
    'the document would grow too big',
  ),
  MODULE_INVALID: row('never', GRPC.INVALID_ARGUMENT, 400, 2, 'the module cannot be deployed'),
  VERSION_CONFLICT: row('never', GRPC.ABORTED, 409, 4, 'another version was deployed meanwhile'),
  HISTORY_GONE: row('never', GRPC.OUT_OF_RANGE, 410, 4, 'that part of the history is not kept'),
  SESSION_EXPIRED: row(
    'never',
    GRPC.FAILED_PRECONDITION,
    410,
    4,
    'the session is too old to retry in',
  ),
  OUT_OF_ORDER: row('in-order', GRPC.ABORTED, 409, 5, 'an earlier message has not been executed'),
  UNAVAILABLE: row('later', GRPC.UNAVAILABLE, 503, 5, 'no node can answer this now'),
  OVERLOADED: row('later', GRPC.RESOURCE_EXHAUSTED, 429, 5, 'a queue is full'),
  DEADLINE_EXCEEDED: row('later', GRPC.DEADLINE_EXCEEDED, 504, 5, 'no answer in time'),
  CANCELLED: row('never', GRPC.CANCELLED, 499, 130, 'the caller gave up'),
  DATA_CORRUPT: row('never', GRPC.DATA_LOSS, 500, 1, 'stored data fails its checks'),
  NODE_NOT_FOUND: row('never', GRPC.NOT_FOUND, 404, 3, 'the cluster has no such node'),
  NODE_REMOVED: row(
    'never',
    GRPC.FAILED_PRECONDITION,
    410,
    4,
    'the node is not one of the cluster any more',
  ),
  MEMBERS_REFUSED: row(
    'never',
    GRPC.FAILED_PRECONDITION,
    409,
    4,
    'the members cannot be changed like that now',
  ),
  NODE_MISMATCH: row('never', GRPC.FAILED_PRECONDITION, 409, 4, 'the data is of another node'),
  INTERNAL: row('never', GRPC.INTERNAL, 500, 1, 'Deltabase failed in a way it should not'),
} as const satisfies Record<string, ErrorFacts>;

/** A code of the table. */
export type ErrorCode = keyof typeof ERRORS;

/** Values that explain an error to a program: numbers, strings and flags by name. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** The one class of expected errors. `message` says what is wrong and what to do about it. */
export class DeltabaseError extends Error {
  override readonly name = 'DeltabaseError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** What the caller may do on its own. */
  get retry(): RetryRule {
    return ERRORS[this.code].retry;
  }
}

interface ErrorOptions {
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/** Whether `text` is a code of the table. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/** `thrown` itself if it is expected, else an INTERNAL error that carries it as its cause. */
export function toDeltabaseError(thrown: unknown): DeltabaseError {
  if (thrown instanceof DeltabaseError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new DeltabaseError('INTERNAL', message, { cause: thrown });
}

function row(
  retry: RetryRule,
  grpc: number,
  http: number,
  exit: number,
  meaning: string,
): ErrorFacts {
  return { retry, grpc, http, exit, meaning };
}
