// What a value adds to its container: canonical bytes, depth and hash lanes. Measures are written into
// records that the caller owns, so that measuring allocates nothing. Containers and long strings carry
// their measure; the cost of any other value is that of its own text.

import { assert } from '@deltabase/base';
import { formatHash, MULTIPLIER_A, MULTIPLIER_B, step, TAG } from './hash.js';
import type { Held, LongText, Slot, Value } from './value.js';

/** Where a measure is left; read as what one part adds to its container. */
export type Measure = { -readonly [name in keyof Held]: Held[name] };

/** Longer strings are measured once and kept with their measure: 64 units take about 0.1 µs. */
export const TEXT_UNITS_MAX = 64;

/** A record to measure into; of one member or element unless its count is changed. */
export function makeMeasure(): Measure {
  return { count: 1, bytes: 0, depth: 0, a: 0, b: 0 };
}

/** The part that is not there. */
export const NOTHING: Held = { count: 0, bytes: 0, depth: 0, a: 0, b: 0 };

/** Bytes of the canonical JSON of `value`; O(1) for a container. */
export function bytesOf(value: Value): number {
  measureSlot(value, SCRATCH);
  return SCRATCH.bytes;
}

/** Nested containers in `value`: 0 for a scalar, 1 for `[]`; O(1). */
export function depthOf(value: Value): number {
  return typeof value === 'object' && value !== null ? value.depth + 1 : 0;
}

/** The state hash of `value` (hash.ts): 16 lower-case hexadecimal digits; O(1) for a container. */
export function hashText(value: Value): string {
  measureSlot(value, SCRATCH);
  return formatHash(SCRATCH.a, SCRATCH.b);
}

/** `value` as containers keep it. */
export function slotOf(value: Value): Slot {
  if (typeof value !== 'string' || value.length <= TEXT_UNITS_MAX) return value;
  measureSlot(value, SCRATCH);
  const { bytes, a, b } = SCRATCH;
  return new MeasuredText(value, bytes, a, b);
}

/** A class for the reason that object-node.ts gives. */
class MeasuredText implements LongText {
  declare readonly kind: 'text';
  declare readonly text: string;
  declare readonly bytes: number;
  declare readonly a: number;
  declare readonly b: number;

  constructor(text: string, bytes: number, a: number, b: number) {
    this.kind = 'text';
    this.text = text;
    this.bytes = bytes;
    this.a = a;
    this.b = b;
  }
}

/** Measures the value that `slot` keeps. */
export function measureSlot(slot: Slot, into: Measure): void {
  switch (typeof slot) {
    case 'number':
      measureNumber(slot, into);
      return;
    case 'string':
      measureText(slot, into);
      into.a = step(MULTIPLIER_A, TAG.string, into.a);
      into.b = step(MULTIPLIER_B, TAG.string, into.b);
      return;
    case 'boolean':
      measureLiteral(TAG.boolean, slot ? 1 : 0, slot ? 4 : 5, into);
      return;
    default:
      if (slot === null) measureLiteral(TAG.null, 0, 4, into);
      else measureComposed(slot, into);
  }
}

/** Measures a member of an object; the bytes include the colon and one separator. */
export function measureMember(key: string, slot: Slot, into: Measure): void {
  measureText(key, KEY);
  measureNamed(slot, into);
}

/** `measureMember` of what a member was and what it is now. */
export function measureBoth(key: string, old: Slot, was: Measure, now: Slot, is: Measure): void {
  measureText(key, KEY);
  measureNamed(old, was);
  measureNamed(now, is);
}

/** Measures the bare text of a name or string: lanes of `text` in hash.ts, bytes with the quotes. */
export function measureText(text: string, into: Measure): void {
  let bytes = 2;
  let surrogates = 0;
  let a: number = TAG.text;
  let b: number = TAG.text;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(((a << 5) | (a >>> 27)) ^ unit, MULTIPLIER_A);
    b = Math.imul(((b << 5) | (b >>> 27)) ^ unit, MULTIPLIER_B);
    if (unit < 0x80) bytes += ASCII_BYTES[unit]!;
    else if (unit < 0x800) bytes += 2;
    else if ((unit & 0xf800) !== 0xd800) bytes += 3;
    else surrogates++;
  }
  // A pair takes 4 bytes of UTF-8: 2 for each of its units.
  if (surrogates > 0) assert(text.isWellFormed(), 'values hold no lone surrogates');
  into.bytes = bytes + 2 * surrogates;
  into.depth = 0;
  into.a = step(MULTIPLIER_A, a, text.length);
  into.b = step(MULTIPLIER_B, b, text.length);
}

/** Whole numbers below this are written digit by digit: quotients by ten have exact floors. */
export const DIGITS_BELOW = 1e15;

/** Bytes of a number in canonical JSON (RFC 8785 §3.2.2.3); asserts that it is finite. */
export function numberBytes(value: number): number {
  const magnitude = Math.abs(value);
  if (Math.floor(value) !== value || magnitude >= DIGITS_BELOW) {
    assert(Number.isFinite(value), 'values hold no infinite numbers');
    return String(value).length;
  }
  let bytes = value < 0 ? 2 : 1;
  for (let power = 10; magnitude >= power; power *= 10) bytes++;
  return bytes;
}

const SCRATCH = makeMeasure();
const KEY = makeMeasure();

/** `measureMember` of the name that KEY is the measure of. */
function measureNamed(slot: Slot, into: Measure): void {
  measureSlot(slot, into);
  into.bytes += KEY.bytes + 2;
  into.a = step(MULTIPLIER_A, step(MULTIPLIER_A, TAG.member, KEY.a), into.a);
  into.b = step(MULTIPLIER_B, step(MULTIPLIER_B, TAG.member, KEY.b), into.b);
}

/** Bytes of each ASCII character in a canonical string (RFC 8785 §3.2.2.2). */
const ASCII_BYTES = Uint8Array.from({ length: 0x80 }, (_, unit) => {
  return JSON.stringify(String.fromCharCode(unit)).length - 2;
});

const DOUBLE = new DataView(new ArrayBuffer(8));

function measureNumber(value: number, into: Measure): void {
  // Adding 0 turns -0 into 0.
  DOUBLE.setFloat64(0, value + 0);
  const low = DOUBLE.getInt32(4);
  const high = DOUBLE.getInt32(0);
  into.bytes = numberBytes(value);
  into.depth = 0;
  into.a = step(MULTIPLIER_A, step(MULTIPLIER_A, TAG.number, low), high);
  into.b = step(MULTIPLIER_B, step(MULTIPLIER_B, TAG.number, low), high);
}

function measureLiteral(tag: number, word: number, bytes: number, into: Measure): void {
  into.bytes = bytes;
  into.depth = 0;
  into.a = step(MULTIPLIER_A, tag, word);
  into.b = step(MULTIPLIER_B, tag, word);
}

function measureComposed(
  slot: Exclude<Slot, null | boolean | number | string>,
  into: Measure,
): void {
  if (slot.kind === 'text') {
    into.bytes = slot.bytes;
    into.depth = 0;
    into.a = slot.a;
    into.b = slot.b;
    return;
  }
  const tag = slot.kind === 'object' ? TAG.object : TAG.array;
  // Two brackets and one separator fewer than there are parts.
  into.bytes = slot.count === 0 ? 2 : slot.bytes + 1;
  into.depth = slot.depth + 1;
  into.a = step(MULTIPLIER_A, step(MULTIPLIER_A, tag, slot.count), slot.a);
  into.b = step(MULTIPLIER_B, step(MULTIPLIER_B, tag, slot.count), slot.b);
}
