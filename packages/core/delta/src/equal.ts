// Equality of values (RFC 6902 §4.6): by identity, then by what is cached, then by structure, where nodes
// that both sides share need no look. Equal hashes alone prove nothing here.

import { assert } from '@deltabase/base';
import { Cursor, stepTogether } from './cursor.js';
import type { Container, Slot, Value } from './value.js';

/** Whether `a` and `b` are the same JSON: numbers by value, objects whatever the order of members. */
export function valuesEqual(a: Value, b: Value): boolean {
  return slotsEqual(a, b);
}

/** Whether two containers keep the same JSON. */
export function slotsEqual(a: Slot, b: Slot): boolean {
  if (a === b) return true;
  if (typeof a === 'string') return typeof b === 'object' && b?.kind === 'text' && a === b.text;
  if (typeof a !== 'object' || a === null) return false;
  if (a.kind === 'text') {
    if (typeof b === 'string') return a.text === b;
    if (typeof b !== 'object' || b === null || b.kind !== 'text') return false;
    return a.a === b.a && a.b === b.b && a.text === b.text;
  }
  if (typeof b !== 'object' || b === null || a.kind !== b.kind) return false;
  if (a.count !== b.count || a.bytes !== b.bytes || a.a !== b.a || a.b !== b.b) return false;
  return partsEqual(a, b);
}

/** Compares the parts of two containers of one kind and count, position by position. */
function partsEqual(a: Container, b: Container): boolean {
  assert(a.kind === b.kind && a.count === b.count, 'positions of like containers are compared');
  const left = new Cursor(a);
  const right = new Cursor(b);
  while (!left.isAtEnd) {
    if (stepTogether(left, right)) continue;
    if (left.name !== right.name || !slotsEqual(left.take(), right.take())) return false;
  }
  return true;
}
