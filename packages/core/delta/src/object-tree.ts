// Objects: a persistent B+-tree by name. A change copies the nodes on one path and shares the rest.
// Invariant: the bounds of tree.ts, and every name under child i > 0 of a branch is at or after keys[i]
// and before keys[i + 1]. A branch's keys[0] repeats its parent's bound; on the left edge it means nothing.

import { assert } from '@deltabase/base';
import { firstName, heightOf, itemsIn, namesIn, widthOf } from './child.js';
import { scalarAt, withMember, withoutMember, withScalar } from './leaf-text.js';
import { makeMeasure, measureBoth, measureMember, NOTHING } from './measure.js';
import { childFor, findName, listNames, type Names, ownName } from './names.js';
import { objectBranch, objectLeaf, objectRoot, objectWith } from './object-node.js';
import { beginTrail, endTrail, leaveTrail, placeOf } from './trail.js';
import { depthAfter, mostAt, NODE_MIN, replacedAt, splitPoint } from './tree.js';
import type { Child, Held, LeafText, ObjectValue, Slot } from './value.js';

/** What `object` keeps under `key`; `undefined`: no such member. O(log n). */
export function objectGet(object: ObjectValue, key: string): Slot | undefined {
  if (object.height === 0) {
    const at = findName(object.keys, key);
    return at < 0 ? undefined : object.items[at];
  }
  beginTrail();
  let node: Child = object;
  while (typeof node !== 'string' && node.height > 0) {
    const at = childFor(node.keys, key);
    leaveTrail(node.height, node.keys, at);
    node = node.items[at] as Child;
  }
  const at = findName(namesIn(node), key);
  leaveTrail(0, namesIn(node), at);
  endTrail(key, object.height);
  if (at < 0) return undefined;
  return typeof node === 'string' ? scalarAt(node, at) : node.items[at];
}

/** `object` with `slot` under `key`, in place of what was there. O(log n). */
export function objectSet(object: ObjectValue, key: string, slot: Slot): ObjectValue {
  const root = setIn(object, key, slot);
  if (root.items.length <= mostAt(root.height)) return root;
  const halves = splitChild(root, key);
  return objectBranch(root.height + 1, halves.map(firstName), halves);
}

/** `object` without the member `key`; `object` itself if there is none. O(log n). */
export function objectRemove(object: ObjectValue, key: string): ObjectValue {
  const root = removeIn(object, key);
  if (root.height === 0 || root.items.length > 1) return root;
  return objectRoot(root.items[0] as Child);
}

const OLD = makeMeasure();
const NEW = makeMeasure();
/** What the object holds more once the change that is being made took effect. */
const CHANGE = makeMeasure();

/** May return a node of one item more than it may hold, which the caller splits. */
function setIn(node: ObjectValue, key: string, slot: Slot): ObjectValue {
  if (node.height > 0) return setInBranch(node, key, slot);
  const at = placeOf(key, 0, node.keys);
  if (at < 0) {
    measureMember(key, slot, NEW);
    note(NOTHING, NEW);
    const keys = listNames(node.keys).toSpliced(~at, 0, ownName(key));
    const items = node.items.toSpliced(~at, 0, slot);
    return objectWith(node, keys, items, Math.max(node.depth, NEW.depth), CHANGE);
  }
  const old = node.items[at]!;
  if (old === slot) return node;
  noteMember(key, old, slot);
  const items = replacedAt(node.items, at, slot);
  return objectWith(node, node.keys, items, depthAfter(node, OLD.depth, NEW.depth, items), CHANGE);
}

/** `setIn` of a leaf that is a text. */
function setInText(leaf: LeafText, key: string, slot: Slot): Child {
  const at = placeOf(key, 0, leaf);
  if (at < 0) {
    measureMember(key, slot, NEW);
    note(NOTHING, NEW);
    const text = withMember(leaf, ~at, key, slot, CHANGE);
    return text ?? openWith(leaf, ~at, 0, ownName(key), slot);
  }
  const old = scalarAt(leaf, at);
  if (old === slot) return leaf;
  noteMember(key, old, slot);
  return withScalar(leaf, at, slot, CHANGE) ?? openWith(leaf, at, 1, ownName(key), slot);
}

function setInBranch(node: ObjectValue, key: string, slot: Slot): ObjectValue {
  const at = placeOf(key, node.height, node.keys);
  const old = node.items[at] as Child;
  const child = typeof old === 'string' ? setInText(old, key, slot) : setIn(old, key, slot);
  if (child === old) return node;
  if (widthOf(child) <= mostAt(node.height - 1)) {
    const items = replacedAt(node.items, at, child);
    return branchWith(node, old, child, node.keys, items);
  }
  const [left, right] = splitChild(child, key);
  const keys = listNames(node.keys).toSpliced(at + 1, 0, firstName(right));
  return branchWith(node, old, child, keys, node.items.toSpliced(at, 1, left, right));
}

/** May return a node of NODE_MIN - 1 items, which the caller fills up. */
function removeIn(node: ObjectValue, key: string): ObjectValue {
  if (node.height > 0) return removeInBranch(node, key);
  const at = placeOf(key, 0, node.keys);
  if (at < 0) return node;
  measureMember(key, node.items[at]!, OLD);
  note(OLD, NOTHING);
  const keys = listNames(node.keys).toSpliced(at, 1);
  const items = node.items.toSpliced(at, 1);
  return objectWith(node, keys, items, depthAfter(node, OLD.depth, 0, items), CHANGE);
}

/** `removeIn` of a leaf that is a text. */
function removeInText(leaf: LeafText, key: string): LeafText {
  const at = placeOf(key, 0, leaf);
  if (at < 0) return leaf;
  measureMember(key, scalarAt(leaf, at), OLD);
  note(OLD, NOTHING);
  return withoutMember(leaf, at, CHANGE);
}

function removeInBranch(node: ObjectValue, key: string): ObjectValue {
  const at = placeOf(key, node.height, node.keys);
  const old = node.items[at] as Child;
  const child = typeof old === 'string' ? removeInText(old, key) : removeIn(old, key);
  if (child === old) return node;
  if (widthOf(child) >= NODE_MIN) {
    return branchWith(node, old, child, node.keys, replacedAt(node.items, at, child));
  }
  // Too few items: together with a neighbour they make one node, or two of equal size.
  const first = at > 0 ? at - 1 : 0;
  const left = first === at ? child : (node.items[first] as Child);
  const right = first === at ? (node.items[first + 1] as Child) : child;
  const parts = mergeChildren(left, right);
  const bounds = parts.length === 1 ? [] : [firstName(parts[1]!)];
  const keys = listNames(node.keys).toSpliced(first + 1, 1, ...bounds);
  return branchWith(node, old, child, keys, node.items.toSpliced(first, 2, ...parts));
}

/** The branch `node` once its child `old` became `now`, with the bounds and children after the change. */
function branchWith(
  node: ObjectValue,
  old: Child,
  now: Child,
  keys: Names,
  items: readonly Slot[],
): ObjectValue {
  return objectWith(node, keys, items, depthAfter(node, depthIn(old), depthIn(now), items), CHANGE);
}

function depthIn(child: Child): number {
  return typeof child === 'string' ? 0 : child.depth;
}

function noteMember(key: string, old: Slot, now: Slot): void {
  measureBoth(key, old, OLD, now, NEW);
  note(OLD, NEW);
}

function note(old: Held, now: Held): void {
  CHANGE.count = now.count - old.count;
  CHANGE.bytes = now.bytes - old.bytes;
  CHANGE.a = (now.a - old.a) | 0;
  CHANGE.b = (now.b - old.b) | 0;
}

/** `leaf` as a node, with a member in place of the `removed` ones at `at`. */
function openWith(leaf: LeafText, at: number, removed: number, name: string, slot: Slot): Child {
  const names = listNames(leaf).toSpliced(at, removed, name);
  return objectLeaf(names, itemsIn(leaf).toSpliced(at, removed, slot));
}

function splitChild(child: Child, key: string): readonly [Child, Child] {
  const height = heightOf(child);
  assert(widthOf(child) === mostAt(height) + 1, 'a node splits as soon as it is overfull');
  const names = namesIn(child);
  const changed = height > 0 ? childFor(names, key) : findName(names, key);
  assert(changed >= 0, 'the name that a node is overfull with is in it');
  return cut(height, listNames(names), itemsIn(child), splitPoint(height, changed));
}

/** One or two nodes of the items of `left` and `right`. */
function mergeChildren(left: Child, right: Child): readonly Child[] {
  const height = heightOf(left);
  assert(height === heightOf(right), 'neighbours have one height');
  const keys = listNames(namesIn(left)).concat(listNames(namesIn(right)));
  const items = itemsIn(left).concat(itemsIn(right));
  if (items.length > mostAt(height)) return cut(height, keys, items, items.length >> 1);
  return [nodeOf(height, keys, items)];
}

function cut(
  height: number,
  keys: readonly string[],
  items: readonly Slot[],
  at: number,
): readonly [Child, Child] {
  return [
    nodeOf(height, keys.slice(0, at), items.slice(0, at)),
    nodeOf(height, keys.slice(at), items.slice(at)),
  ];
}

function nodeOf(height: number, keys: readonly string[], items: readonly Slot[]): Child {
  if (height === 0) return objectLeaf(keys, items);
  return objectBranch(height, keys, items as readonly Child[]);
}
