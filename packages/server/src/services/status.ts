// How an expected error ends a call: the gRPC status of the errors table, its message as details, and the
// whole of it as deltabase.v1.Error in a trailer (docs/errors.md).

import { DeltabaseError, ERRORS } from '@deltabase/base';
import type { Log } from '@deltabase/engine';
import { Metadata } from '@grpc/grpc-js';
import { type ErrorLike, encodeError } from '../wire/error-codec.js';

/** What gRPC takes as the end of a call. */
export interface CallStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

const TRAILER = 'deltabase-error-bin';
/** Trailers are headers: peers refuse large ones. */
const DETAILS_CHARACTERS_MAX = 2048;

export function statusOf({ code, message, details }: ErrorLike): CallStatus {
  const shown = message.slice(0, DETAILS_CHARACTERS_MAX).toWellFormed();
  const metadata = new Metadata();
  metadata.set(TRAILER, encodeError({ code, message: shown, details }));
  return { code: ERRORS[code].grpc, details: shown, metadata };
}

/**
 * The status for what a handler threw before the engine saw the request. An unexpected error is a defect of
 * the edge, where no state can be hurt: it is logged and ends this call only.
 */
export function statusOfThrown(thrown: unknown, log: Log): CallStatus {
  if (thrown instanceof DeltabaseError) return statusOf(thrown);
  const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  log.error('request-failed', { reason });
  const message = 'the node failed to read this request: report it with the log of the node';
  return statusOf({ code: 'INTERNAL', message, details: {} });
}
