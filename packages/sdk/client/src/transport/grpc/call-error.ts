// What a failed gRPC call means: the error that the node put into its trailer, or one made of the status.

import { DeltabaseError } from '@deltabase/base';
import { type ServiceError, status } from '@grpc/grpc-js';
import { codeOfStatus, errorFromWire } from '../../errors.js';
import { decodeError } from './protos.js';

const TRAILER = 'deltabase-error-bin';

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
  return new DeltabaseError(codeOfStatus(code), `${address}: ${details}`, { cause: thrown });
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'details' in thrown;
}
