// Objects: a persistent B+-tree by name. A change copies the nodes on one path and shares the rest.
// Invariant: the bounds of tree.ts, and every name under child i > 0 of a branch is at or after keys[i]
// and before keys[i + 1]. A branch's keys[0] repeats its parent's bound; on the left edge it means nothing.

import { assert } from '@deltabase/base';
import { makeMeasure, measureMember, NOTHING } from './measure.js';
import { childFor, findName, listNames, nameAt, ownName } from './names.js';
import { objectBranch, objectLeaf, objectWith } from './object-node.js';
import { NODE_MAX, NODE_MIN, replacedAt, splitPoint } from './tree.js';
import type { ObjectValue, Slot } from './value.js';

/** What `object` keeps under `key`; `undefined`: no such member. O(log n). */
export function objectGet(object: ObjectValue, key: string): Slot | undefined {
  let node = object;
  while (node.height > 0) node = node.items[childFor(node.keys, key)] as ObjectValue;
  const at = findName(node.keys, key);
  return at < 0 ? undefined : node.items[at];
}

/** `object` with `slot` under `key`, in place of what was there. O(log n). */
export function objectSet(object: ObjectValue, key: string, slot: Slot): ObjectValue {
  const root = setIn(object, key, slot);
  if (root.items.length <= NODE_MAX) return root;
  const [left, right] = splitNode(root, key);
  return objectBranch(root.height + 1, [firstName(left), firstName(right)], [left, right]);
}

/** `object` without the member `key`; `object` itself if there is none. O(log n). */
export function objectRemove(object: ObjectValue, key: string): ObjectValue {
  const root = removeIn(object, key);
  return root.height > 0 && root.items.length === 1 ? (root.items[0] as ObjectValue) : root;
}

const OLD = makeMeasure();
const NEW = makeMeasure();

/** May return a node of NODE_MAX + 1 items, which the caller splits. */
function setIn(node: ObjectValue, key: string, slot: Slot): ObjectValue {
  if (node.height > 0) return setInBranch(node, key, slot);
  const at = findName(node.keys, key);
  if (at < 0) {
    measureMember(key, slot, NEW);
    const keys = listNames(node.keys).toSpliced(~at, 0, ownName(key));
    return objectWith(node, NOTHING, NEW, keys, node.items.toSpliced(~at, 0, slot));
  }
  const old = node.items[at]!;
  if (old === slot) return node;
  measureMember(key, old, OLD);
  measureMember(key, slot, NEW);
  return objectWith(node, OLD, NEW, node.keys, replacedAt(node.items, at, slot));
}

function setInBranch(node: ObjectValue, key: string, slot: Slot): ObjectValue {
  const at = childFor(node.keys, key);
  const old = node.items[at] as ObjectValue;
  const child = setIn(old, key, slot);
  if (child === old) return node;
  if (child.items.length <= NODE_MAX) {
    return objectWith(node, old, child, node.keys, replacedAt(node.items, at, child));
  }
  const [left, right] = splitNode(child, key);
  const keys = listNames(node.keys).toSpliced(at + 1, 0, firstName(right));
  return objectWith(node, old, child, keys, node.items.toSpliced(at, 1, left, right));
}

/** May return a node of NODE_MIN - 1 items, which the caller fills up. */
function removeIn(node: ObjectValue, key: string): ObjectValue {
  if (node.height > 0) return removeInBranch(node, key);
  const at = findName(node.keys, key);
  if (at < 0) return node;
  measureMember(key, node.items[at]!, OLD);
  const keys = listNames(node.keys).toSpliced(at, 1);
  return objectWith(node, OLD, NOTHING, keys, node.items.toSpliced(at, 1));
}

function removeInBranch(node: ObjectValue, key: string): ObjectValue {
  const at = childFor(node.keys, key);
  const old = node.items[at] as ObjectValue;
  const child = removeIn(old, key);
  if (child === old) return node;
  if (child.items.length >= NODE_MIN) {
    return objectWith(node, old, child, node.keys, replacedAt(node.items, at, child));
  }
  // Too few items: together with a neighbour they make one node, or two of equal size.
  const first = at > 0 ? at - 1 : 0;
  const left = first === at ? child : (node.items[first] as ObjectValue);
  const right = first === at ? (node.items[first + 1] as ObjectValue) : child;
  const parts = mergeNodes(left, right);
  const bounds = parts.length === 1 ? [] : [firstName(parts[1]!)];
  const keys = listNames(node.keys).toSpliced(first + 1, 1, ...bounds);
  return objectWith(node, old, child, keys, node.items.toSpliced(first, 2, ...parts));
}

function splitNode(node: ObjectValue, key: string): readonly [ObjectValue, ObjectValue] {
  assert(node.items.length === NODE_MAX + 1, 'a node splits as soon as it is overfull');
  const changed = node.height > 0 ? childFor(node.keys, key) : findName(node.keys, key);
  assert(changed >= 0, 'the name that a node is overfull with is in it');
  return cut(node.height, listNames(node.keys), node.items, splitPoint(changed));
}

/** One or two nodes of the items of `left` and `right`. */
function mergeNodes(left: ObjectValue, right: ObjectValue): readonly ObjectValue[] {
  assert(left.height === right.height, 'neighbours have one height');
  const keys = listNames(left.keys).concat(listNames(right.keys));
  const items = left.items.concat(right.items);
  if (items.length > NODE_MAX) return cut(left.height, keys, items, items.length >> 1);
  return [nodeOf(left.height, keys, items)];
}

function cut(
  height: number,
  keys: readonly string[],
  items: readonly Slot[],
  at: number,
): readonly [ObjectValue, ObjectValue] {
  return [
    nodeOf(height, keys.slice(0, at), items.slice(0, at)),
    nodeOf(height, keys.slice(at), items.slice(at)),
  ];
}

function nodeOf(height: number, keys: readonly string[], items: readonly Slot[]): ObjectValue {
  if (height === 0) return objectLeaf(keys, items);
  return objectBranch(height, keys, items as readonly ObjectValue[]);
}

/** The name that `node` begins with, as its parent keeps it. */
function firstName(node: ObjectValue): string {
  return ownName(nameAt(node.keys, 0));
}
