// A payload as the JSON text that is sent. JSON.stringify says null for what JSON has no word for, and a handler would
// take that for a value that was meant: such a payload is refused.

import { DeltabaseError } from '@deltabase/base';
import type { Json } from '@deltabase/delta';

/**
 * The text of `payload`; empty if there is none. Members that are `undefined` are left out, as ever. Throws
 * INVALID_ARGUMENT for numbers that are not finite, elements that are `undefined`, functions, big integers, circles,
 * and what is nested too deep to be written.
 */
export function payloadText(payload: Json | undefined): string {
  if (payload === undefined) return '';
  const text = textOf(payload);
  if (text === undefined) throw invalid('the payload is nothing that JSON can say');
  // Whatever is replaced leaves a null: without one there is nothing to look for.
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
    if (cause instanceof RangeError) throw invalid('the payload is nested too deep', cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`the payload: ${reason}`, cause);
  }
}

function refuseReplaced(this: unknown, name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw invalid(`the payload: JSON has no ${value}${name === '' ? '' : `, as "${name}" has it`}`);
  }
  const isNothing = ['undefined', 'function', 'symbol'].includes(typeof value);
  if (isNothing && Array.isArray(this)) {
    throw invalid(`the payload: element ${name} of an array is ${typeof value}: JSON has none`);
  }
  return value;
}

function invalid(message: string, cause?: unknown): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message, { cause });
}
