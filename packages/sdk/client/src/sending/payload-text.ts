// A payload as the JSON text that is sent. JSON.stringify says null for numbers, dates and elements that JSON has no word
// for, and a handler would take that for a value that was meant: such a payload is refused.

import { DeltabaseError } from '@deltabase/base';
import type { Json } from '@deltabase/delta';

/**
 * The text of `payload`; empty if there is none. Members that are `undefined` or functions are left out, as ever. Throws
 * INVALID_ARGUMENT for numbers and dates that are not finite, elements that are `undefined` or functions, big integers,
 * circles, and what is nested too deep to be written.
 */
export function payloadText(payload: Json | undefined): string {
  if (payload === undefined) return '';
  const text = textOf(payload);
  if (text === undefined) throw invalid('the payload is nothing that JSON can say');
  // What is replaced leaves a null: without one there is nothing to look for.
  if (text.includes('null')) textOf(payload, refuseReplaced);
  return text;
}

type Replacer = (this: unknown, name: string, value: unknown) => unknown;

/** `undefined` for a function and the like. */
function textOf(payload: Json, replacer?: Replacer): string | undefined {
  try {
    return JSON.stringify(payload, replacer);
  } catch (cause) {
    if (cause instanceof DeltabaseError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof RangeError && reason.includes('call stack')) {
      throw invalid('the payload is nested too deep', cause);
    }
    throw invalid(`the payload: ${reason}`, cause);
  }
}

function refuseReplaced(this: unknown, name: string, value: unknown): unknown {
  const kind = typeof value;
  const isNumber = kind === 'number' || value instanceof Number;
  if (isNumber && !Number.isFinite(Number(value))) throw noWordFor(String(value), name);
  // Its text is null.
  const given = (this as Readonly<Record<string, unknown>>)[name];
  if (given instanceof Date && value === null) throw noWordFor('invalid date', name);
  const isNothing = kind === 'undefined' || kind === 'function' || kind === 'symbol';
  if (isNothing && Array.isArray(this)) {
    throw invalid(`the payload: element ${name} of an array is ${kind}: JSON has none`);
  }
  return value;
}

function noWordFor(what: string, name: string): DeltabaseError {
  return invalid(`the payload: JSON has no ${what}${name === '' ? '' : `, as "${name}" has it`}`);
}

function invalid(message: string, cause?: unknown): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message, { cause });
}
