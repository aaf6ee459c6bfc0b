// Strict JSON text (RFC 8259, restricted to I-JSON, RFC 7493 §2) to values. The text is surveyed first, so
// that neither nesting nor repeated names reach code that cannot bear them.

import { DEFAULT_LIMITS, decodeUtf8 } from '@deltabase/base';
import { convert, type JsonOptions, jsonError } from './json.js';
import { type Value, valueIn } from './value.js';

/**
 * The value of the JSON text `text`: a string, or its UTF-8. Throws INVALID_ARGUMENT, with a JsonProblem
 * in `details.problem`, where it is not well-formed UTF-8 ('encoding'), not JSON ('syntax'), repeats a
 * name in an object ('name'), holds a lone surrogate or a number that no double holds, or is nested
 * deeper than `depthMax`.
 */
export function parseValue(text: string | Uint8Array, options: JsonOptions = {}): Value {
  const decoded = typeof text === 'string' ? text : decodeUtf8(text);
  if (decoded === undefined) throw jsonError('encoding', 'the JSON text is not well-formed UTF-8');
  const depthMax = options.depthMax ?? DEFAULT_LIMITS.jsonDepthMax;
  const survey = surveyText(decoded);
  if (survey.depth > depthMax) {
    throw jsonError('depth', `the JSON is nested deeper than ${depthMax} containers`);
  }
  const tally = { names: 0 };
  const slot = convert(parseText(decoded), depthMax, tally);
  // Of members with one name JSON.parse keeps the last: then there are fewer than there are colons.
  if (tally.names !== survey.names) throw jsonError('name', 'an object repeats a name');
  return valueIn(slot);
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
