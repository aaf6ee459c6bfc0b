// JSON that is short and plain, as nearly all of it is in messages and deltas, read straight from its bytes; the rest is
// left to `parseValue`. JSON.parse keeps one copy of each short string for ever (V8 interns them), which is what documents
// want of their names; of values that never come again it costs more than the parsing.

import { DEFAULT_LIMITS, decodeUtf8 } from '@deltabase/base';
import { arrayLeaf, EMPTY_ARRAY } from './array-node.js';
import type { JsonOptions, Tally } from './json.js';
import { TEXT_UNITS_MAX } from './measure.js';
import { EMPTY_OBJECT, flatObject } from './object-node.js';
import { parseCounted, parseValue } from './parse.js';
import { LEAF_MAX } from './tree.js';
import type { Slot, Value } from './value.js';

/**
 * The value of the JSON text `bytes`, UTF-8, as `parseValue` makes it, with the same errors; for values that are
 * not kept, such as payloads: names in it are not shared with other values.
 */
export function parseTransient(bytes: Uint8Array, options: JsonOptions = {}): Value {
  const depthMax = options.depthMax ?? DEFAULT_LIMITS.jsonDepthMax;
  const reader = new PlainReader(bytes, 0, bytes.length);
  const value = reader.whole(Math.min(depthMax, PLAIN_DEPTH_MAX));
  return value === undefined ? parseValue(bytes, { depthMax }) : value;
}

/**
 * The value of the JSON text `bytes[start, end)`, as `parseValue` makes it, with the same errors. Objects alike share
 * their names with those that were parsed with the same `tally`.
 */
export function parseWithin(
  bytes: Uint8Array,
  start: number,
  end: number,
  depthMax: number,
  tally: Tally,
): Value {
  // A container has names, which are kept with it: those are to be shared.
  const value = new PlainReader(bytes, start, end).whole(0);
  return value === undefined ? parseCounted(bytes.subarray(start, end), depthMax, tally) : value;
}

/** Plain JSON nests so deep at most. */
const PLAIN_DEPTH_MAX = 8;
/** Whole numbers of so many digits are exact. */
const DIGITS_MAX = 15;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const PLUS = 0x2b;
const POINT = 0x2e;
const SPACE = 0x20;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
/** What makes a lower-case letter of one in upper case. */
const CASE = 0x20;
/** Where bytes end; what is no byte. */
const END = -1;
const BEHIND = -2;
/** A number with a fraction or an exponent (RFC 8259 §6); longer ones are left to `parseValue`. */
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const DECIMAL_BYTES_MAX = 32;

/** The names that texts had last, in the order in which they stood there. */
const recentNames: string[] = [];
const RECENT_MAX = 64;

/** Moves the last member down to its place among the others, which ascend; whether its name is new. */
function sink(keys: string[], items: Slot[]): boolean {
  let at = keys.length - 1;
  const key = keys[at]!;
  const item = items[at]!;
  for (; at > 0 && keys[at - 1]! > key; at--) {
    keys[at] = keys[at - 1]!;
    items[at] = items[at - 1]!;
  }
  keys[at] = key;
  items[at] = item;
  return keys[at - 1] !== key;
}

/** Reads JSON as long as it is plain; `undefined` means: it is not, or it is not JSON. */
class PlainReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #names = 0;

  /** Reads `bytes[start, end)`. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  whole(depthMax: number): Value | undefined {
    // No string is so long that a container would keep it measured.
    const value = this.#value(depthMax) as Value | undefined;
    return this.#next() === END ? value : undefined;
  }

  #value(depthMax: number): Slot | undefined {
    switch (this.#next()) {
      case QUOTE:
        return this.#string();
      case OPEN_BRACE:
        return depthMax > 0 ? this.#object(depthMax - 1) : undefined;
      case OPEN_BRACKET:
        return depthMax > 0 ? this.#array(depthMax - 1) : undefined;
      case LOWER_T:
        return this.#word('true') ? true : undefined;
      case LOWER_F:
        return this.#word('false') ? false : undefined;
      case LOWER_N:
        return this.#word('null') ? null : undefined;
      default:
        return this.#number();
    }
  }

  #object(depthMax: number): Slot | undefined {
    this.#at++;
    if (this.#take(CLOSE_BRACE)) return EMPTY_OBJECT;
    const keys: string[] = [];
    const items: Slot[] = [];
    for (;;) {
      const key = this.#name();
      if (key === undefined || !this.#take(COLON)) return undefined;
      const item = this.#value(depthMax);
      if (item === undefined || keys.length === LEAF_MAX) return undefined;
      keys.push(key);
      items.push(item);
      if (!sink(keys, items)) return undefined;
      if (this.#take(CLOSE_BRACE)) return flatObject(keys, items);
      if (!this.#take(COMMA)) return undefined;
    }
  }

  #array(depthMax: number): Slot | undefined {
    this.#at++;
    if (this.#take(CLOSE_BRACKET)) return EMPTY_ARRAY;
    const items: Slot[] = [];
    for (;;) {
      const item = this.#value(depthMax);
      if (item === undefined || items.length === LEAF_MAX) return undefined;
      items.push(item);
      if (this.#take(CLOSE_BRACKET)) return arrayLeaf(items);
      if (!this.#take(COMMA)) return undefined;
    }
  }

  /** A string as a name: often the one that stood here in the text before. */
  #name(): string | undefined {
    if (this.#next() !== QUOTE) return undefined;
    const place = this.#names++;
    const recent = recentNames[place];
    if (recent !== undefined && this.#isQuoted(recent)) {
      this.#at += recent.length + 2;
      return recent;
    }
    const name = this.#string();
    if (name !== undefined && place < RECENT_MAX) recentNames[place] = name;
    return name;
  }

  /** Whether `text`, which is plain, and a quote follow the quote that comes next. */
  #isQuoted(text: string): boolean {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    const end = start + text.length;
    if (end >= this.#end || bytes[end] !== QUOTE) return false;
    for (let i = 0; i < text.length; i++) {
      if (bytes[start + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  #string(): string | undefined {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    const endMax = Math.min(this.#end, start + TEXT_UNITS_MAX + 1);
    for (let at = start; at < endMax; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.#at = at + 1;
        return decodeUtf8(bytes, start, at);
      }
      if (byte < SPACE || byte > 0x7e || byte === BACKSLASH) return undefined;
    }
    return undefined;
  }

  #number(): number | undefined {
    const bytes = this.#bytes;
    const start = this.#at;
    const isNegative = bytes[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    let number = 0;
    let at = first;
    for (; at < this.#end && bytes[at]! >= ZERO && bytes[at]! <= NINE; at++) {
      number = number * 10 + bytes[at]! - ZERO;
    }
    const digits = at - first;
    if (digits === 0 || digits > DIGITS_MAX || (bytes[first] === ZERO && digits > 1))
      return undefined;
    if (at < this.#end && (bytes[at] === POINT || (bytes[at]! | CASE) === LOWER_E)) {
      return this.#decimal(start, at);
    }
    if (isNegative && number === 0) return undefined;
    this.#at = at;
    return isNegative ? -number : number;
  }

  /** A number that begins at `start` and has a fraction or an exponent at `at`. */
  #decimal(start: number, at: number): number | undefined {
    let end = at;
    while (end < this.#end && end - start <= DECIMAL_BYTES_MAX && isInNumber(this.#bytes[end]!))
      end++;
    const text = decodeUtf8(this.#bytes, start, end);
    if (text === undefined || !DECIMAL.test(text)) return undefined;
    const number = Number(text);
    if (!Number.isFinite(number) || number === 0) return undefined;
    this.#at = end;
    return number;
  }

  /** Whether `word` comes next; if so, goes behind it. */
  #word(word: string): boolean {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#at + i] !== word.charCodeAt(i)) return false;
    }
    this.#at += word.length;
    return true;
  }

  /** Whether `byte` comes next; if so, goes behind it. */
  #take(byte: number): boolean {
    if (this.#next() !== byte) return false;
    this.#at++;
    return true;
  }

  /** The byte that comes next, behind blanks; END: none. */
  #next(): number {
    const bytes = this.#bytes;
    for (; this.#at < this.#end; this.#at++) {
      const byte = bytes[this.#at]!;
      if (byte > SPACE || !isBlank(byte)) return byte;
    }
    // A word may have gone on behind the end.
    return this.#at === this.#end ? END : BEHIND;
  }
}

/** RFC 8259 §2. */
function isBlank(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isInNumber(byte: number): boolean {
  const isSign = byte === PLUS || byte === MINUS;
  return (byte >= ZERO && byte <= NINE) || byte === POINT || isSign || (byte | CASE) === LOWER_E;
}
