// @deltabase/base: what every other package stands on. Pure; no Node, no I/O.

export { AssertionError, assert, unreachable } from './assert.js';
export { decodeBase64, encodeBase64 } from './base64.js';
export {
  DeltabaseError,
  ERRORS,
  type ErrorCode,
  type ErrorDetails,
  isErrorCode,
  type RetryRule,
  toDeltabaseError,
} from './errors.js';
export { DEFAULT_LIMITS, type Limits } from './limits.js';
export { pack, unpack } from './msgpack.js';
export { makePrng, type Prng } from './prng.js';
export { decodeUtf8, encodeUtf8, encodeUtf8Into, exceedsUtf8 } from './utf8.js';
export {
  bytes,
  embedded,
  embeddeds,
  flag,
  type MessageReader,
  messageReader,
  optionalUint,
  text,
  texts,
  uint,
  uints,
  type WireField,
} from './wire-message.js';
export { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT, WireReader } from './wire-reader.js';
