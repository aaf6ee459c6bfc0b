// Canonical JSON (RFC 8785): one text for one value. Members are sorted already and lengths are cached, so
// bytes are written once, into an array of exactly their length.

import { assert, encodeUtf8Into } from '@deltabase/base';
import { leafJson, writeLeafText } from './leaf-text.js';
import { bytesOf, DIGITS_BELOW, makeMeasure, measureText, numberBytes } from './measure.js';
import { nameAt } from './names.js';
import type { ArrayValue, Child, Slot, Value } from './value.js';

/** The canonical JSON text of `value`. */
export function canonicalJson(value: Value): string {
  return textOf(value);
}

/** The canonical JSON text of `value` as UTF-8: `bytesOf(value)` bytes. */
export function canonicalBytes(value: Value): Uint8Array {
  const bytes = new Uint8Array(bytesOf(value));
  const end = writeSlot(value, bytes, 0);
  assert(end === bytes.length, 'the cached length of a value is that of its canonical JSON');
  return bytes;
}

/** Writes the canonical JSON of `slot` at `at`; returns where it ends. */
export function writeSlot(slot: Slot, into: Uint8Array, at: number): number {
  if (typeof slot === 'string') return writeString(slot, into, at);
  if (typeof slot === 'number') return writeNumber(slot, into, at);
  if (typeof slot !== 'object' || slot === null) return writeAscii(String(slot), into, at);
  if (slot.kind === 'text') return writeLongString(slot.text, slot.bytes, into, at);
  const isObject = slot.kind === 'object';
  into[at] = isObject ? OPEN_BRACE : OPEN_BRACKET;
  if (slot.count === 0) {
    into[at + 1] = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
    return at + 2;
  }
  const end = isObject ? writeMembers(slot, into, at + 1) : writeElements(slot, into, at + 1);
  // The separator behind the last part becomes the closing bracket.
  into[end - 1] = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
  return end;
}

/** Writes `text` as a canonical JSON string at `at`; returns where it ends. */
export function writeString(text: string, into: Uint8Array, at: number): number {
  if (text.length > SHORT_UNITS_MAX) {
    measureText(text, SCRATCH);
    return writeLongString(text, SCRATCH.bytes, into, at);
  }
  into[at] = QUOTE;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) {
      return at + encodeUtf8Into(JSON.stringify(text), into.subarray(at));
    }
    into[at + 1 + i] = unit;
  }
  into[at + 1 + text.length] = QUOTE;
  return at + text.length + 2;
}

/** Writes ASCII `text` as it is at `at`; returns where it ends. */
export function writeAscii(text: string, into: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
  return at + text.length;
}

const SHORT_UNITS_MAX = 64;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SCRATCH = makeMeasure();

function writeMembers(node: Child, into: Uint8Array, start: number): number {
  if (typeof node === 'string') return writeLeafText(node, into, start);
  let at = start;
  for (let i = 0; i < node.items.length; i++) {
    if (node.height > 0) {
      at = writeMembers(node.items[i] as Child, into, at);
      continue;
    }
    at = writeString(nameAt(node.keys, i), into, at);
    into[at] = COLON;
    at = writeSlot(node.items[i]!, into, at + 1);
    into[at++] = COMMA;
  }
  return at;
}

function writeElements(node: ArrayValue, into: Uint8Array, start: number): number {
  let at = start;
  for (const item of node.items) {
    if (node.height > 0) {
      at = writeElements(item as ArrayValue, into, at);
      continue;
    }
    at = writeSlot(item, into, at);
    into[at++] = COMMA;
  }
  return at;
}

function writeLongString(text: string, bytes: number, into: Uint8Array, at: number): number {
  // As many bytes as units and quotes: nothing is escaped and all is ASCII.
  const quoted = bytes === text.length + 2 ? `"${text}"` : JSON.stringify(text);
  const written = encodeUtf8Into(quoted, into.subarray(at));
  assert(written === bytes, 'the measured length of a string is that of its canonical JSON');
  return at + written;
}

function writeNumber(value: number, into: Uint8Array, at: number): number {
  let rest = Math.abs(value);
  if (Math.floor(value) !== value || rest >= DIGITS_BELOW) {
    return writeAscii(String(value), into, at);
  }
  const end = at + numberBytes(value);
  const first = value < 0 ? at + 1 : at;
  for (let i = end - 1; i >= first; i--) {
    const tens = Math.floor(rest / 10);
    into[i] = ZERO + rest - tens * 10;
    rest = tens;
  }
  if (value < 0) into[at] = MINUS;
  return end;
}

function textOf(slot: Slot): string {
  if (typeof slot === 'string') return JSON.stringify(slot);
  if (typeof slot !== 'object' || slot === null) return String(slot);
  if (slot.kind === 'text') return JSON.stringify(slot.text);
  return slot.kind === 'object' ? `{${membersText(slot)}}` : `[${elementsText(slot)}]`;
}

function membersText(node: Child): string {
  if (typeof node === 'string') return leafJson(node);
  let text = '';
  for (let i = 0; i < node.items.length; i++) {
    if (i > 0) text += ',';
    const item = node.items[i]!;
    if (node.height > 0) text += membersText(item as Child);
    else text += `${JSON.stringify(nameAt(node.keys, i))}:${textOf(item)}`;
  }
  return text;
}

function elementsText(node: ArrayValue): string {
  let text = '';
  for (let i = 0; i < node.items.length; i++) {
    if (i > 0) text += ',';
    const item = node.items[i]!;
    text += node.height > 0 ? elementsText(item as ArrayValue) : textOf(item);
  }
  return text;
}
