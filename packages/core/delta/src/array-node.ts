// Nodes of arrays: made from their parts, or from an older node by the difference of one part.
// They are instances of a class for the reason that object-node.ts gives.

import { assert } from '@deltabase/base';
import { type Measure, makeMeasure, measureSlot } from './measure.js';
import {
  appended,
  concatenated,
  LANE_A,
  LANE_B,
  remainder,
  replaced,
  resized,
  term,
} from './sequence-hash.js';
import { BRANCH_MAX, depthAfter, LEAF_MAX } from './tree.js';
import type { ArrayValue, Held, Slot } from './value.js';

class ArrayNode implements ArrayValue {
  declare readonly kind: 'array';
  declare readonly height: number;
  declare readonly ends: readonly number[];
  declare readonly items: readonly Slot[];
  declare readonly count: number;
  declare readonly bytes: number;
  declare readonly depth: number;
  declare readonly a: number;
  declare readonly b: number;

  constructor(
    height: number,
    ends: readonly number[],
    items: readonly Slot[],
    count: number,
    bytes: number,
    depth: number,
    a: number,
    b: number,
  ) {
    this.kind = 'array';
    this.height = height;
    this.ends = ends;
    this.items = items;
    this.count = count;
    this.bytes = bytes;
    this.depth = depth;
    this.a = a;
    this.b = b;
  }
}

const NO_ENDS: readonly number[] = [];

/** `[]`. */
export const EMPTY_ARRAY: ArrayValue = new ArrayNode(0, NO_ENDS, [], 0, 0, 0, 0, 0);

/** The leaf of `items`; takes the array over. */
export function arrayLeaf(items: readonly Slot[]): ArrayValue {
  assert(items.length <= LEAF_MAX + 1, 'a leaf holds a node full of elements');
  let bytes = 0;
  let depth = 0;
  let a = 0;
  let b = 0;
  for (const item of items) {
    measureElement(item, ELEMENT);
    bytes += ELEMENT.bytes;
    if (ELEMENT.depth > depth) depth = ELEMENT.depth;
    a = appended(LANE_A, a, ELEMENT.a);
    b = appended(LANE_B, b, ELEMENT.b);
  }
  return new ArrayNode(0, NO_ENDS, items, items.length, bytes, depth, a, b);
}

/** The node of `height` over `children`; takes the array over. */
export function arrayBranch(height: number, children: readonly ArrayValue[]): ArrayValue {
  assert(height > 0 && children.length <= BRANCH_MAX, 'a branch holds a node full of children');
  const ends: number[] = [];
  let count = 0;
  let bytes = 0;
  let depth = 0;
  let a = 0;
  let b = 0;
  for (const child of children) {
    count += child.count;
    ends.push(count);
    bytes += child.bytes;
    if (child.depth > depth) depth = child.depth;
    a = concatenated(LANE_A, a, child.a, child.count);
    b = concatenated(LANE_B, b, child.b, child.count);
  }
  return new ArrayNode(height, ends, children, count, bytes, depth, a, b);
}

/** Measures an element of an array: bytes with one separator, lanes as terms of the polynomial. */
export function measureElement(slot: Slot, into: Measure): void {
  measureSlot(slot, into);
  into.bytes++;
  into.a = term(into.a);
  into.b = term(into.b);
}

/**
 * `node` with its part `old` at `at` become `now`: a child, an element measured by `measureElement`, or
 * NOTHING; `ends` and `items` are those after the change. Counts differ by one at most.
 */
export function arrayWith(
  node: ArrayValue,
  at: number,
  old: Held,
  now: Held,
  ends: readonly number[],
  items: readonly Slot[],
): ArrayValue {
  const growth = now.count - old.count;
  assert(growth >= -1 && growth <= 1, 'one element comes or goes at a time');
  const behind = node.height > 0 ? node.count - node.ends[at]! : node.count - at - old.count;
  let a: number;
  let b: number;
  if (growth === 0) {
    a = replaced(LANE_A, node.a, old.a, now.a, behind);
    b = replaced(LANE_B, node.b, old.b, now.b, behind);
  } else {
    hashBehind(node, at, old, behind);
    a = resized(LANE_A, node.a, old.a, now.a, growth, SUFFIX.a, behind);
    b = resized(LANE_B, node.b, old.b, now.b, growth, SUFFIX.b, behind);
  }
  const bytes = node.bytes + now.bytes - old.bytes;
  const depth = depthAfter(node, old.depth, now.depth, items);
  return new ArrayNode(node.height, ends, items, node.count + growth, bytes, depth, a, b);
}

const ELEMENT = makeMeasure();
const SUFFIX = { a: 0, b: 0 };

/** Leaves in SUFFIX the polynomial of the `behind` elements behind `part`, from the shorter side. */
function hashBehind(node: ArrayValue, at: number, part: Held, behind: number): void {
  const next = node.height > 0 || part.count > 0 ? at + 1 : at;
  if (node.items.length - next <= at) {
    hashRange(node, next, node.items.length);
    return;
  }
  hashRange(node, 0, at);
  const a = concatenated(LANE_A, SUFFIX.a, part.a, part.count);
  const b = concatenated(LANE_B, SUFFIX.b, part.b, part.count);
  SUFFIX.a = remainder(LANE_A, node.a, a, behind);
  SUFFIX.b = remainder(LANE_B, node.b, b, behind);
}

/** Leaves in SUFFIX the polynomial of the items [start, end) of `node`. */
function hashRange(node: ArrayValue, start: number, end: number): void {
  let a = 0;
  let b = 0;
  for (let i = start; i < end; i++) {
    if (node.height > 0) {
      const child = node.items[i] as ArrayValue;
      a = concatenated(LANE_A, a, child.a, child.count);
      b = concatenated(LANE_B, b, child.b, child.count);
    } else {
      measureElement(node.items[i]!, ELEMENT);
      a = appended(LANE_A, a, ELEMENT.a);
      b = appended(LANE_B, b, ELEMENT.b);
    }
  }
  SUFFIX.a = a;
  SUFFIX.b = b;
}
