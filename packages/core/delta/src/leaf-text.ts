// Leaves of large objects as one text each, while all that they hold is short and plain. In a large object
// nearly every message meets a leaf that no cache has: a node, its list and its names are four places in
// memory to wait for, a text is one; and the garbage collector copies it whole, without a pointer to follow.
// A leaf text is: the names as names.ts packs them; for each value the units of its text, one unit; the
// canonical JSON of the values, one behind the other; the lanes of the hash, four units each, the low one
// first. No unit is above 0xff, so that each takes a byte.

import { assert } from '@deltabase/base';
import { type Measure, makeMeasure, measureMember, TEXT_UNITS_MAX } from './measure.js';
import {
  countNames,
  HEAD_UNITS,
  listNames,
  nameStart,
  namesEnd,
  namesStart,
  nameUnits,
  nameWidth,
  packNames,
  sharedLength,
  startsText,
  UNIT_MAX,
  unitsUpTo,
  VIEW_UNITS,
} from './names.js';
import type { Held, LeafText, Scalar, Slot } from './value.js';

/** Units of a leaf text at most: a change copies all of it. */
export const LEAF_UNITS_MAX = 1024;

/** The leaf of `names` (ascending) and their values, if it can be a text. */
export function leafText(names: readonly string[], slots: readonly Slot[]): LeafText | undefined {
  const parts: string[] = [];
  let units = LANES_UNITS;
  for (const slot of slots) {
    const text = plainText(slot);
    if (text === undefined) return undefined;
    parts.push(text);
    units += 1 + text.length;
  }
  if (!names.every(isPlain)) return undefined;
  const packed = packNames(names);
  if (typeof packed !== 'string' || packed.length + units > LEAF_UNITS_MAX) return undefined;
  const lengths = String.fromCharCode(...parts.map((text) => text.length));
  let a = 0;
  let b = 0;
  for (let i = 0; i < names.length; i++) {
    measureMember(names[i]!, slots[i]!, MEMBER);
    a = (a + MEMBER.a) | 0;
    b = (b + MEMBER.b) | 0;
  }
  return [packed, lengths, ...parts, lanesText(a, b)].join('');
}

/** Measures what `leaf` holds; O(1). */
export function measureLeaf(leaf: LeafText, into: Measure): void {
  const count = countNames(leaf);
  const lanes = leaf.length - LANES_UNITS;
  const values = lanes - namesEnd(leaf) - count;
  into.count = count;
  into.bytes = unitsUpTo(leaf, count) + values + (sharedLength(leaf) + FRAME_BYTES) * count;
  into.depth = 0;
  into.a = laneAt(leaf, lanes);
  into.b = laneAt(leaf, lanes + 4);
}

/** The value at `at`, which is in [0, count). */
export function scalarAt(leaf: LeafText, at: number): Scalar {
  const lengths = namesEnd(leaf);
  const start = scalarStart(leaf, lengths, at);
  return scalarOf(leaf, start, start + leaf.charCodeAt(lengths + at));
}

/** All values, in order. */
export function scalarsOf(leaf: LeafText): Scalar[] {
  const count = countNames(leaf);
  const lengths = namesEnd(leaf);
  const scalars: Scalar[] = [];
  let start = lengths + count;
  for (let i = 0; i < count; i++) {
    const end = start + leaf.charCodeAt(lengths + i);
    scalars.push(scalarOf(leaf, start, end));
    start = end;
  }
  return scalars;
}

/** `leaf` with `slot` as the value at `at`, if that can be a text; `change` is what the hash changes by. */
export function withScalar(
  leaf: LeafText,
  at: number,
  slot: Slot,
  change: Held,
): LeafText | undefined {
  const text = plainText(slot);
  if (text === undefined) return undefined;
  const lengths = namesEnd(leaf);
  const start = scalarStart(leaf, lengths, at);
  const units = leaf.charCodeAt(lengths + at);
  const behind = leaf.slice(start + units, leaf.length - LANES_UNITS);
  const lanes = changedLanes(leaf, change);
  if (text.length === units) return [leaf.slice(0, start), text, behind, lanes].join('');
  return bounded([
    leaf.slice(0, lengths + at),
    String.fromCharCode(text.length),
    leaf.slice(lengths + at + 1, start),
    text,
    behind,
    lanes,
  ]);
}

/** `leaf` with a new member at `at`, if that can be a text; `change` is what the hash changes by. */
export function withMember(
  leaf: LeafText,
  at: number,
  name: string,
  slot: Slot,
  change: Held,
): LeafText | undefined {
  const part = unsharedPart(leaf, name);
  if (part === undefined) {
    const slots: readonly Slot[] = scalarsOf(leaf);
    return leafText(listNames(leaf).toSpliced(at, 0, name), slots.toSpliced(at, 0, slot));
  }
  const text = plainText(slot);
  if (text === undefined || !isPlain(part)) return undefined;
  const place = nameStart(leaf, at);
  const lengths = namesEnd(leaf);
  const start = scalarStart(leaf, lengths, at);
  return bounded([
    ...resizedNames(leaf, at, place, part.length),
    part,
    leaf.slice(place, lengths + at),
    String.fromCharCode(text.length),
    leaf.slice(lengths + at, start),
    text,
    leaf.slice(start, leaf.length - LANES_UNITS),
    changedLanes(leaf, change),
  ]);
}

/** `leaf` without the member at `at`, and with another one at least. */
export function withoutMember(leaf: LeafText, at: number, change: Held): LeafText {
  assert(countNames(leaf) > 1, 'a leaf text holds something');
  const units = nameUnits(leaf, at);
  const place = nameStart(leaf, at);
  const lengths = namesEnd(leaf);
  const start = scalarStart(leaf, lengths, at);
  const end = start + leaf.charCodeAt(lengths + at);
  return [
    ...resizedNames(leaf, at, place, undefined),
    leaf.slice(place + units, lengths + at),
    leaf.slice(lengths + at + 1, start),
    leaf.slice(end, leaf.length - LANES_UNITS),
    changedLanes(leaf, change),
  ].join('');
}

/** Writes the members of `leaf` as canonical JSON at `at`, a comma behind each; returns where they end. */
export function writeLeafText(leaf: LeafText, into: Uint8Array, at: number): number {
  const count = countNames(leaf);
  const shared = sharedLength(leaf);
  const lengths = namesEnd(leaf);
  let place = namesStart(leaf);
  let start = lengths + count;
  let to = at;
  for (let i = 0; i < count; i++) {
    into[to++] = QUOTE;
    for (let k = 0; k < shared; k++) into[to++] = leaf.charCodeAt(HEAD_UNITS + k);
    const nameEnd = place + nameUnits(leaf, i);
    while (place < nameEnd) into[to++] = leaf.charCodeAt(place++);
    into[to++] = QUOTE;
    into[to++] = COLON;
    const end = start + leaf.charCodeAt(lengths + i);
    while (start < end) into[to++] = leaf.charCodeAt(start++);
    into[to++] = COMMA;
  }
  return to;
}

/** The members of `leaf` as canonical JSON, a comma between two. */
export function leafJson(leaf: LeafText): string {
  const names = listNames(leaf);
  return scalarsOf(leaf)
    .map((scalar, i) => `"${names[i]!}":${JSON.stringify(scalar)}`)
    .join(',');
}

const LANES_UNITS = 8;
/** Quotes, colon and comma of a member. */
const FRAME_BYTES = 4;
/** Digits whose number is exact while they are added up. */
const DIGITS_MAX = 15;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const MEMBER = makeMeasure();

/** The parts as one text, flat at once, unless it is too long. */
function bounded(parts: readonly string[]): LeafText | undefined {
  let units = 0;
  for (const part of parts) units += part.length;
  return units <= LEAF_UNITS_MAX ? parts.join('') : undefined;
}

/** The canonical JSON of `slot` if it is a scalar that a leaf text can hold: it has a unit at least. */
function plainText(slot: Slot): string | undefined {
  switch (typeof slot) {
    case 'number':
    case 'boolean':
      return String(slot);
    case 'string':
      return slot.length <= TEXT_UNITS_MAX && isPlain(slot) ? `"${slot}"` : undefined;
    default:
      return slot === null ? 'null' : undefined;
  }
}

/** Whether `text` is printable ASCII that JSON writes as it is. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) return false;
  }
  return true;
}

/** What stands before the name at `at`, which begins at `place`, once one of `units` stands before it, or it is gone. */
function resizedNames(
  leaf: LeafText,
  at: number,
  place: number,
  units: number | undefined,
): readonly string[] {
  const count = countNames(leaf);
  const changed = String.fromCharCode(units === undefined ? count - 1 : count + 1);
  if (nameWidth(leaf) > 0) return [changed, leaf.slice(1, place)];
  const starts: number[] = [];
  for (let i = 0; i <= at; i++) starts.push(unitsUpTo(leaf, i));
  const first = units === undefined ? at + 2 : at;
  const growth = units ?? -nameUnits(leaf, at);
  for (let i = first; i <= count; i++) starts.push(unitsUpTo(leaf, i) + growth);
  const head = leaf.slice(1, HEAD_UNITS + sharedLength(leaf));
  return [changed, head, startsText(starts), leaf.slice(namesStart(leaf), place)];
}

/** What of `name` is kept behind what all names begin with, if it fits in with them as they are packed. */
function unsharedPart(leaf: LeafText, name: string): string | undefined {
  const width = nameWidth(leaf);
  const shared = sharedLength(leaf);
  const units = name.length - shared;
  if (width > 0 ? units !== width : units > UNIT_MAX) return undefined;
  for (let i = 0; i < shared; i++) {
    if (name.charCodeAt(i) !== leaf.charCodeAt(HEAD_UNITS + i)) return undefined;
  }
  return name.slice(shared);
}

/** Where the value at `at` begins; the lengths of all are at `lengths`. */
function scalarStart(leaf: LeafText, lengths: number, at: number): number {
  let start = lengths + countNames(leaf);
  for (let i = 0; i < at; i++) start += leaf.charCodeAt(lengths + i);
  return start;
}

function scalarOf(leaf: LeafText, start: number, end: number): Scalar {
  switch (leaf.charCodeAt(start)) {
    case QUOTE:
      // What JSON.parse makes keeps no other text in memory.
      if (end - start - 2 < VIEW_UNITS) return leaf.slice(start + 1, end - 1);
      return JSON.parse(leaf.slice(start, end)) as string;
    case LOWER_T:
      return true;
    case LOWER_F:
      return false;
    case LOWER_N:
      return null;
    default:
      return numberOf(leaf, start, end);
  }
}

function numberOf(leaf: LeafText, start: number, end: number): number {
  const first = leaf.charCodeAt(start) === MINUS ? start + 1 : start;
  if (end - first > DIGITS_MAX) return Number(leaf.slice(start, end));
  let number = 0;
  for (let i = first; i < end; i++) {
    const digit = leaf.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return Number(leaf.slice(start, end));
    number = number * 10 + digit;
  }
  return first === start ? number : -number;
}

function laneAt(leaf: LeafText, at: number): number {
  return (
    leaf.charCodeAt(at) |
    (leaf.charCodeAt(at + 1) << 8) |
    (leaf.charCodeAt(at + 2) << 16) |
    (leaf.charCodeAt(at + 3) << 24)
  );
}

function changedLanes(leaf: LeafText, change: Held): string {
  const at = leaf.length - LANES_UNITS;
  return lanesText((laneAt(leaf, at) + change.a) | 0, (laneAt(leaf, at + 4) + change.b) | 0);
}

function lanesText(a: number, b: number): string {
  return String.fromCharCode(
    a & 0xff,
    (a >>> 8) & 0xff,
    (a >>> 16) & 0xff,
    a >>> 24,
    b & 0xff,
    (b >>> 8) & 0xff,
    (b >>> 16) & 0xff,
    b >>> 24,
  );
}
