// JSON that is short and plain, as nearly all of it is in messages and deltas, read straight from its bytes; the rest is
// left to `parseValue`. JSON.parse keeps one copy of each short string for ever (V8 interns them), which is what documents
// want of their names; of values that never come again it costs more than the parsing.

import { DEFAULT_LIMITS, decodeUtf8 } from '@deltabase/base';
import { arrayLeaf, EMPTY_ARRAY } from './array-node.js';
import type { JsonOptions } from './json.js';
import { TEXT_UNITS_MAX } from './measure.js';
import { EMPTY_OBJECT, flatObject } from './object-node.js';
import { parseValue } from './parse.js';
import { LEAF_MAX } from './tree.js';
import type { Slot, Value } from './value.js';

/**
 * The value of the JSON text `bytes`, UTF-8, as `parseValue` makes it, with the same errors; for values that are
 * not kept, such as payloads: names in it are not shared with other values.
 */
export function parseTransient(bytes: Uint8Array, options: JsonOptions = {}): Value {
  const depthMax = options.depthMax ?? DEFAULT_LIMITS.jsonDepthMax;
  const reader = new PlainReader(bytes, 0, bytes.length);
  return reader.whole(Math.min(depthMax, PLAIN_DEPTH_MAX)) ?? parseValue(bytes, { depthMax });
}

/** The value of the JSON text `bytes[start, end)`, as `parseValue` makes it, with the same errors. */
export function parseWithin(
  bytes: Uint8Array,
  start: number,
  end: number,
  options: JsonOptions = {},
): Value {
  // A container has names, which are kept with it: those are to be shared.
  return (
    new PlainReader(bytes, start, end).whole(0) ?? parseValue(bytes.subarray(start, end), options)
  );
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
const POINT = 0x2e;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

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
    // Where it went on behind its end, it is not JSON up to there.
    return this.#at === this.#end ? value : undefined;
  }

  #value(depthMax: number): Slot | undefined {
    const byte = this.#bytes[this.#at];
    switch (byte) {
      case QUOTE:
        return this.#string();
      case OPEN_BRACE:
        return depthMax > 0 ? this.#object(depthMax - 1) : undefined;
      case OPEN_BRACKET:
        return depthMax > 0 ? this.#array(depthMax - 1) : undefined;
      case 0x74:
        return this.#word('true') ? true : undefined;
      case 0x66:
        return this.#word('false') ? false : undefined;
      case 0x6e:
        return this.#word('null') ? null : undefined;
      default:
        return this.#number();
    }
  }

  #object(depthMax: number): Slot | undefined {
    if (this.#skip(1) === CLOSE_BRACE) {
      this.#at++;
      return EMPTY_OBJECT;
    }
    const keys: string[] = [];
    const items: Slot[] = [];
    for (;;) {
      const key = this.#name();
      if (key === undefined || this.#bytes[this.#at++] !== COLON) return undefined;
      const item = this.#value(depthMax);
      if (item === undefined || keys.length === LEAF_MAX) return undefined;
      keys.push(key);
      items.push(item);
      if (!sink(keys, items)) return undefined;
      const byte = this.#bytes[this.#at++];
      if (byte === CLOSE_BRACE) return flatObject(keys, items);
      if (byte !== COMMA) return undefined;
    }
  }

  #array(depthMax: number): Slot | undefined {
    if (this.#skip(1) === CLOSE_BRACKET) {
      this.#at++;
      return EMPTY_ARRAY;
    }
    const items: Slot[] = [];
    for (;;) {
      const item = this.#value(depthMax);
      if (item === undefined || items.length === LEAF_MAX) return undefined;
      items.push(item);
      const byte = this.#bytes[this.#at++];
      if (byte === CLOSE_BRACKET) return arrayLeaf(items);
      if (byte !== COMMA) return undefined;
    }
  }

  /** A string as a name: often the one that stood here in the text before. */
  #name(): string | undefined {
    const place = this.#names++;
    const recent = recentNames[place];
    if (recent !== undefined && this.#isNext(recent)) {
      this.#at += recent.length + 2;
      return recent;
    }
    if (this.#bytes[this.#at] !== QUOTE) return undefined;
    const name = this.#string();
    if (name !== undefined && place < RECENT_MAX) recentNames[place] = name;
    return name;
  }

  /** Whether `text`, which is plain, comes next in quotes. */
  #isNext(text: string): boolean {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    if (bytes[this.#at] !== QUOTE || bytes[start + text.length] !== QUOTE) return false;
    for (let i = 0; i < text.length; i++) {
      if (bytes[start + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  #string(): string | undefined {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    const endMax = Math.min(bytes.length, start + TEXT_UNITS_MAX + 1);
    for (let at = start; at < endMax; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.#at = at + 1;
        return decodeUtf8(bytes, start, at);
      }
      if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return undefined;
    }
    return undefined;
  }

  #number(): number | undefined {
    const bytes = this.#bytes;
    const isNegative = bytes[this.#at] === MINUS;
    const first = isNegative ? this.#at + 1 : this.#at;
    let number = 0;
    let at = first;
    for (; bytes[at]! >= ZERO && bytes[at]! <= NINE; at++) number = number * 10 + bytes[at]! - ZERO;
    const digits = at - first;
    if (digits === 0 || digits > DIGITS_MAX || (bytes[first] === ZERO && digits > 1))
      return undefined;
    if (bytes[at] === POINT || bytes[at] === LOWER_E || bytes[at] === UPPER_E) return undefined;
    if (isNegative && number === 0) return undefined;
    this.#at = at;
    return isNegative ? -number : number;
  }

  /** Whether `word` comes next; if so, goes behind it. */
  #word(word: string): boolean {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#at + i] !== word.charCodeAt(i)) return false;
    }
    this.#at += word.length;
    return true;
  }

  /** Goes `count` bytes on; the byte there. */
  #skip(count: number): number | undefined {
    this.#at += count;
    return this.#bytes[this.#at];
  }
}
