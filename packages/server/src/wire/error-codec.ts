// deltabase.v1.Error: how a failed message or call is told to a program.

import type { ErrorDetails } from '@deltabase/base';
import type { Failure } from '@deltabase/engine';
import { WireWriter } from './writer.js';

const CODE = 1;
const MESSAGE = 2;
const DETAILS = 3;
const NAME = 1;
const VALUE = 2;

const writer = new WireWriter();
const pairs = new WireWriter();

/** The message's bytes. Details are told as text, whatever they were. */
export function encodeError({ code, message, details }: ErrorLike): Buffer {
  writer.text(CODE, code).text(MESSAGE, message.toWellFormed());
  for (const [name, value] of Object.entries(details)) {
    writer.present(DETAILS, pairs.text(NAME, name).text(VALUE, String(value)).finish());
  }
  return writer.finish();
}

/** A Failure, or a DeltabaseError. */
export interface ErrorLike {
  readonly code: Failure['code'];
  readonly message: string;
  readonly details: ErrorDetails;
}
