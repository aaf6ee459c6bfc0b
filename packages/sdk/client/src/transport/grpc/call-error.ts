// What a failed gRPC call means: the error that the node put into its trailer, or one made of the status.

import { DeltabaseError } from '@deltabase/base';
import { type ServiceError, status } from '@grpc/grpc-js';
import { codeOfStatus, errorFromWire } from '../../errors.js';
import { decodeError } from './protos.js';

const TRAILER = 'deltabase-error-bin';
const NO_CONNECTION =
  /^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:/s;

/** What gRPC itself says of a request, or an answer, beyond the limit of its receiver. */
const TOO_LARGE = /message larger than max \((\d+) vs\.? (\d+)\)/i;

/** The error of a call to `address` that ended with `thrown`. Throws it again if it is not of gRPC. */
export function callError(address: string, thrown: unknown): DeltabaseError {
  if (thrown instanceof DeltabaseError) return thrown;
  if (!isServiceError(thrown)) throw thrown;
  const bytes = thrown.metadata?.get(TRAILER)[0];
  if (Buffer.isBuffer(bytes)) return errorFromWire(decodeError(bytes));
  const { code, details } = thrown;
  if (code === status.UNIMPLEMENTED) {
    const why = `${address} does not offer this call: is it a Deltabase node as new as this client?`;
    return new DeltabaseError('INTERNAL', why, { cause: thrown });
  }
  const tooLarge = code === status.RESOURCE_EXHAUSTED && TOO_LARGE.exec(details);
  if (tooLarge) return messageTooLarge(address, Number(tooLarge[1]), Number(tooLarge[2]), thrown);
  const why = `${address}: ${reasonOf(code, details)}`;
  return new DeltabaseError(codeOfStatus(code), why, { cause: thrown });
}

/** It would be as large the next time, so it is not tried again, as what is overloaded is. */
function messageTooLarge(
  address: string,
  bytes: number,
  bytesMax: number,
  cause: unknown,
): DeltabaseError {
  const why = `${address}: a message of ${bytes} bytes, of ${bytesMax} allowed: send or ask for less at once`;
  return new DeltabaseError('INVALID_ARGUMENT', why, { details: { bytes, bytesMax }, cause });
}

/** What gRPC says of a failed call, without what only its own authors understand. */
function reasonOf(code: number, details: string): string {
  if (code === status.DEADLINE_EXCEEDED) return 'no answer in time';
  const [, connecting] = NO_CONNECTION.exec(details) ?? [];
  return connecting ?? details;
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'details' in thrown;
}

/** The caller gave a call up. */
export function aborted(signal: AbortSignal | undefined): DeltabaseError {
  return new DeltabaseError('CANCELLED', 'the caller gave up', { cause: signal?.reason });
}
