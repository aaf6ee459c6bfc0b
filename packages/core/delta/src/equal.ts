// Equality of values (RFC 6902 §4.6): by identity, then by what is cached, then by structure, where nodes
// that both sides share need no look. Equal hashes alone prove nothing here.

import { assert } from '@deltabase/base';
import { nameAt } from './names.js';
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
  // Nodes still to come, the next on top; `i` and `j` items of the two on top are done.
  const left: Container[] = [a];
  const right: Container[] = [b];
  let i = 0;
  let j = 0;
  while (left.length > 0) {
    const x = left.at(-1)!;
    const y = right.at(-1)!;
    if (x === y && i === j) {
      left.pop();
      right.pop();
      i = 0;
      j = 0;
    } else if (x.height > 0 || y.height > 0) {
      if (x.height >= y.height) expandTop(left);
      if (y.height >= x.height) expandTop(right);
    } else {
      const run = Math.min(x.items.length - i, y.items.length - j);
      if (!runsEqual(x, i, y, j, run)) return false;
      i += run;
      j += run;
      if (i === x.items.length) {
        left.pop();
        i = 0;
      }
      if (j === y.items.length) {
        right.pop();
        j = 0;
      }
    }
  }
  return true;
}

/** Puts the children of the node on top in its place, the first on top. */
export function expandTop<Node extends Container>(stack: Node[]): void {
  const node = stack.pop()!;
  for (let i = node.items.length - 1; i >= 0; i--) stack.push(node.items[i] as Node);
}

function runsEqual(x: Container, i: number, y: Container, j: number, run: number): boolean {
  for (let k = 0; k < run; k++) {
    if (x.kind === 'object' && y.kind === 'object') {
      if (nameAt(x.keys, i + k) !== nameAt(y.keys, j + k)) return false;
    }
    if (!slotsEqual(x.items[i + k]!, y.items[j + k]!)) return false;
  }
  return true;
}
