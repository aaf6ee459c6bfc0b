// What a failed call to an upstream means: the error that it put into its trailer (docs/errors.md), or that it cannot
// be reached.

import { DeltabaseError, WireReader } from '@deltabase/base';
import { type Failure, failure } from '@deltabase/engine';
import type { ServiceError } from '@grpc/grpc-js';
import { readError } from './watch-many-decoder.js';

const TRAILER = 'deltabase-error-bin';

export function failureOfCall(address: string, { details, metadata }: ServiceError): Failure {
  const [bytes] = metadata?.get(TRAILER) ?? [];
  const unavailable = failure('UNAVAILABLE', `${address}: ${details}`);
  if (!Buffer.isBuffer(bytes)) return unavailable;
  try {
    return readError(new WireReader(bytes));
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return unavailable;
  }
}
