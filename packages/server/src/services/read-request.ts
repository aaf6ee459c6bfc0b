// What GetRequest of documents.proto asks of the engine.

import type { Limits } from '@deltabase/base';
import { parsePointer } from '@deltabase/delta';
import type { ReadMode, ReadRequest } from '@deltabase/engine';
import { checkCount, invalid } from './requests.js';

/** `GetRequest`; `mode` as its number. */
export interface GetFields {
  readonly space: string;
  readonly key: string;
  readonly pointer: string;
  readonly mode: number;
  readonly atLeastSeq: number;
  readonly atSeq?: number | undefined;
  readonly withinMs?: number | undefined;
}

/** Throws INVALID_ARGUMENT for what no read can be. `expiresMs`: by the monotonic clock. */
export function readRequestOf(fields: GetFields, limits: Limits, expiresMs: number): ReadRequest {
  const { space, key, pointer, atSeq } = fields;
  checkCount('at_seq', atSeq);
  checkPointer(pointer, limits);
  return { space, key, pointer, mode: modeOf(fields), atSeq, expiresMs };
}

/** READ_MODE_... of documents.proto. */
function modeOf({ mode, atLeastSeq, withinMs }: GetFields): ReadMode {
  checkCount('at_least_seq', atLeastSeq);
  checkCount('within_ms', withinMs);
  if (mode === 0 || mode === 1) return { kind: 'linearizable' };
  if (mode === 2) return { kind: 'atLeast', seq: atLeastSeq };
  if (mode === 3) return withinMs === undefined ? { kind: 'stale' } : { kind: 'stale', withinMs };
  throw invalid(`read mode ${mode} is not known here: use one of ReadMode`);
}

/** Throws INVALID_ARGUMENT unless it is a JSON pointer of acceptable length. */
function checkPointer(pointer: string, limits: Limits): void {
  if (Buffer.byteLength(pointer) > limits.pointerBytesMax) {
    throw invalid(`the pointer is longer than ${limits.pointerBytesMax} bytes`);
  }
  parsePointer(pointer);
}
