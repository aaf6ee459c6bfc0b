// Arrays: a persistent B+-tree by position. A change anywhere copies the nodes on one path and shares the
// rest. Invariant: the bounds of tree.ts, and ends[i] of a branch counts the elements up to child i.

import { assert } from '@deltabase/base';
import { arrayBranch, arrayLeaf, arrayWith, measureElement } from './array-node.js';
import { makeMeasure, NOTHING } from './measure.js';
import { mostAt, NODE_MIN, replacedAt, splitPoint } from './tree.js';
import type { ArrayValue, Slot } from './value.js';

/** What `array` keeps at `index`, which is in [0, count). O(log n). */
export function arrayGet(array: ArrayValue, index: number): Slot {
  assert(index >= 0 && index < array.count, 'an element is read within the array');
  let node = array;
  let at = index;
  while (node.height > 0) {
    const child = childOf(node, at);
    at -= startOf(node, child);
    node = node.items[child] as ArrayValue;
  }
  return node.items[at]!;
}

/** `array` with `slot` in place of the element at `index`, which is in [0, count). O(log n). */
export function arraySet(array: ArrayValue, index: number, slot: Slot): ArrayValue {
  assert(index >= 0 && index < array.count, 'an element is replaced within the array');
  return setIn(array, index, slot);
}

/** `array` with `slot` before the element at `index`, or behind the last at `count`. O(log n). */
export function arrayInsert(array: ArrayValue, index: number, slot: Slot): ArrayValue {
  assert(index >= 0 && index <= array.count, 'an element is inserted within the array');
  const root = insertIn(array, index, slot);
  if (root.items.length <= mostAt(root.height)) return root;
  return arrayBranch(root.height + 1, splitNode(root, index));
}

/** `array` without the element at `index`, which is in [0, count). O(log n). */
export function arrayRemove(array: ArrayValue, index: number): ArrayValue {
  assert(index >= 0 && index < array.count, 'an element is removed within the array');
  const root = removeIn(array, index);
  return root.height > 0 && root.items.length === 1 ? (root.items[0] as ArrayValue) : root;
}

/** Index of the child of a branch that holds the element at `index`; the last child for `count`. */
export function childOf(node: ArrayValue, index: number): number {
  let low = 0;
  let high = node.ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (node.ends[middle]! <= index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Elements of a branch before its child `child`. */
export function startOf(node: ArrayValue, child: number): number {
  return child === 0 ? 0 : node.ends[child - 1]!;
}

const OLD = makeMeasure();
const NEW = makeMeasure();

function setIn(node: ArrayValue, index: number, slot: Slot): ArrayValue {
  if (node.height > 0) {
    const at = childOf(node, index);
    const old = node.items[at] as ArrayValue;
    const child = setIn(old, index - startOf(node, at), slot);
    if (child === old) return node;
    return arrayWith(node, at, old, child, node.ends, replacedAt(node.items, at, child));
  }
  const old = node.items[index]!;
  if (old === slot) return node;
  measureElement(old, OLD);
  measureElement(slot, NEW);
  return arrayWith(node, index, OLD, NEW, node.ends, replacedAt(node.items, index, slot));
}

/** May return a node of one item more than it may hold, which the caller splits. */
function insertIn(node: ArrayValue, index: number, slot: Slot): ArrayValue {
  if (node.height === 0) {
    measureElement(slot, NEW);
    const items = node.items.toSpliced(index, 0, slot);
    return arrayWith(node, index, NOTHING, NEW, node.ends, items);
  }
  const at = childOf(node, index);
  const old = node.items[at] as ArrayValue;
  const within = index - startOf(node, at);
  const child = insertIn(old, within, slot);
  const parts = child.items.length > mostAt(child.height) ? splitNode(child, within) : [child];
  const items = node.items.toSpliced(at, 1, ...parts);
  return arrayWith(node, at, old, child, endsAfter(node, at, 1, parts), items);
}

/** May return a node of NODE_MIN - 1 items, which the caller fills up. */
function removeIn(node: ArrayValue, index: number): ArrayValue {
  if (node.height === 0) {
    measureElement(node.items[index]!, OLD);
    const items = node.items.toSpliced(index, 1);
    return arrayWith(node, index, OLD, NOTHING, node.ends, items);
  }
  const at = childOf(node, index);
  const old = node.items[at] as ArrayValue;
  const child = removeIn(old, index - startOf(node, at));
  if (child.items.length >= NODE_MIN) {
    const items = replacedAt(node.items, at, child);
    return arrayWith(node, at, old, child, endsAfter(node, at, 1, [child]), items);
  }
  // Too few items: together with a neighbour they make one node, or two of equal size.
  const first = at > 0 ? at - 1 : 0;
  const left = first === at ? child : (node.items[first] as ArrayValue);
  const right = first === at ? (node.items[first + 1] as ArrayValue) : child;
  const parts = mergeNodes(left, right);
  const items = node.items.toSpliced(first, 2, ...parts);
  return arrayWith(node, at, old, child, endsAfter(node, first, 2, parts), items);
}

/** The ends of the children of `node` with `parts` in place of `gone` of them from `first` on. */
function endsAfter(
  node: ArrayValue,
  first: number,
  gone: number,
  parts: readonly ArrayValue[],
): readonly number[] {
  let end = startOf(node, first);
  const counted = parts.map((part) => {
    end += part.count;
    return end;
  });
  const growth = end - node.ends[first + gone - 1]!;
  const ends = node.ends.toSpliced(first, gone, ...counted);
  for (let i = first + parts.length; i < ends.length; i++) ends[i]! += growth;
  return ends;
}

function splitNode(node: ArrayValue, index: number): readonly [ArrayValue, ArrayValue] {
  assert(node.items.length === mostAt(node.height) + 1, 'a node splits as soon as it is overfull');
  const changed = node.height > 0 ? childOf(node, index) : index;
  return cut(node.height, node.items, splitPoint(node.height, changed));
}

/** One or two nodes of the items of `left` and `right`. */
function mergeNodes(left: ArrayValue, right: ArrayValue): readonly ArrayValue[] {
  assert(left.height === right.height, 'neighbours have one height');
  const items = left.items.concat(right.items);
  if (items.length > mostAt(left.height)) return cut(left.height, items, items.length >> 1);
  return [nodeOf(left.height, items)];
}

function cut(
  height: number,
  items: readonly Slot[],
  at: number,
): readonly [ArrayValue, ArrayValue] {
  return [nodeOf(height, items.slice(0, at)), nodeOf(height, items.slice(at))];
}

function nodeOf(height: number, items: readonly Slot[]): ArrayValue {
  return height === 0 ? arrayLeaf(items) : arrayBranch(height, items as readonly ArrayValue[]);
}
