// Strict JSON text (RFC 8259, restricted to I-JSON, RFC 7493 §2) to values. The text is surveyed first, so
// that neither nesting nor repeated names reach code that cannot bear them.

import { DEFAULT_LIMITS, decodeUtf8 } from '@deltabase/base';
import { type JsonOptions, jsonError, makeTally, type Tally, valueFromJson } from './json.js';
import type { Value } from './value.js';

/**
 * The value of the JSON text `text`: a string, or its UTF-8. Throws INVALID_ARGUMENT, with a JsonProblem
 * in `details.problem`, where it is not well-formed UTF-8 ('encoding'), not JSON ('syntax'), repeats a
 * name in an object ('name'), holds a lone surrogate or a number that no double holds, or is nested
 * deeper than `depthMax`.
 */
export function parseValue(text: string | Uint8Array, options: JsonOptions = {}): Value {
  return parseCounted(text, options.depthMax ?? DEFAULT_LIMITS.jsonDepthMax, makeTally());
}

/** `parseValue` of one of several texts, whose objects share their names by `tally`. */
export function parseCounted(text: string | Uint8Array, depthMax: number, tally: Tally): Value {
  const { json, names } = parsePlain(text, depthMax);
  const before = tally.names;
  const value = valueFromJson(json, depthMax, tally);
  checkNames(tally, before + names);
  return value;
}

/** JSON text as plain JavaScript, not yet checked, and how many names it has; throws INVALID_ARGUMENT. */
export function parsePlain(
  text: string | Uint8Array,
  depthMax: number,
): { readonly json: unknown; readonly names: number } {
  const decoded = typeof text === 'string' ? text : decodeUtf8(text);
  if (decoded === undefined) throw jsonError('encoding', 'the JSON text is not well-formed UTF-8');
  const { depth, names } = surveyText(decoded);
  if (depth > depthMax) {
    throw jsonError('depth', `the JSON is nested deeper than ${depthMax} containers`);
  }
  return { json: parseText(decoded), names };
}

/** Holds the names in the text against those that `tally` counted; throws INVALID_ARGUMENT. */
export function checkNames(tally: Tally, names: number): void {
  // Of members with one name JSON.parse keeps the last: then there are fewer than there are colons.
  if (tally.names !== names) throw jsonError('name', 'an object repeats a name');
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw jsonError('syntax', `the text is not JSON: ${reason}`, cause);
  }
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Nesting and number of names in JSON text; means nothing for other text. */
function surveyText(text: string): { readonly depth: number; readonly names: number } {
  let names = 0;
  let open = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) {
      i = endOfString(text, i);
    } else if (unit === COLON) {
      names++;
    } else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      open++;
      if (open > depth) depth = open;
    } else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) {
      open--;
    }
  }
  return { depth, names };
}

/** Index of the quote that ends the string that begins at `start`, or the length of the text. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) return i;
    i += unit === BACKSLASH ? 2 : 1;
  }
  return text.length;
}
