// Reads GetManyResponse of proto/deltabase/v1/documents.proto, as many as come to a busy client. A test holds it against
// the generic codec.

import {
  bytes,
  embedded,
  embeddeds,
  messageReader,
  optionalUint,
  text,
  texts,
  uint,
  WireReader,
} from '@deltabase/base';
import type { UnaryCalls, WireError } from '../wire.js';

export type GetAnswer = UnaryCalls['Get']['response'];

/** The answer to one read of the stream: one of the two. */
export interface NumberedValue {
  readonly number: number;
  readonly value: GetAnswer | undefined;
  readonly error: WireError | undefined;
}

const readErrorFields = messageReader({
  code: text(1),
  message: text(2),
  details: embeddeds(3, messageReader({ name: text(1), value: text(2) })),
});

function readError(reader: WireReader): WireError {
  const { code, message, details } = readErrorFields(reader);
  const entries = details.map(({ name, value }) => [name, value] as const);
  return { code, message, details: Object.fromEntries(entries) };
}

const readValueFields = messageReader({
  seq: uint(1),
  hash: text(2),
  value: bytes(3),
  stalenessMs: optionalUint(4),
  copies: texts(5),
});

function readValue(reader: WireReader): GetAnswer {
  const { stalenessMs, ...answer } = readValueFields(reader);
  return stalenessMs === undefined ? answer : { ...answer, stalenessMs };
}

const readNumberedValue = messageReader<NumberedValue>({
  number: uint(1),
  value: embedded(2, readValue, undefined),
  error: embedded(3, readError, undefined),
});

const readResponse = messageReader({ values: embeddeds(1, readNumberedValue) });

/** Throws INVALID_ARGUMENT for bytes that are no such response. */
export function decodeGetMany(response: Uint8Array): readonly NumberedValue[] {
  return readResponse(new WireReader(response)).values;
}
