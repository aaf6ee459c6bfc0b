// Nodes of objects: made from their parts, or from an older node by the difference of one member.
// They are instances of a class because V8 allocates literals straight into old space once most of those
// from one place in the code survived, as in parsing; then garbage of later messages is found too late.

import { assert } from '@deltabase/base';
import { heldIn, itemsIn } from './child.js';
import { leafText } from './leaf-text.js';
import { makeMeasure, measureMember } from './measure.js';
import { listNames, type Names, ownName, packNames } from './names.js';
import { BRANCH_MAX, LEAF_MAX } from './tree.js';
import type { Child, Held, ObjectValue, Slot } from './value.js';

class ObjectNode implements ObjectValue {
  declare readonly kind: 'object';
  declare readonly height: number;
  declare readonly keys: Names;
  declare readonly items: readonly Slot[];
  declare readonly count: number;
  declare readonly bytes: number;
  declare readonly depth: number;
  declare readonly a: number;
  declare readonly b: number;

  constructor(
    height: number,
    keys: Names,
    items: readonly Slot[],
    count: number,
    bytes: number,
    depth: number,
    a: number,
    b: number,
  ) {
    this.kind = 'object';
    this.height = height;
    this.keys = keys;
    this.items = items;
    this.count = count;
    this.bytes = bytes;
    this.depth = depth;
    this.a = a;
    this.b = b;
  }
}

/** `{}`. */
export const EMPTY_OBJECT: ObjectValue = new ObjectNode(0, [], [], 0, 0, 0, 0, 0);

/** The object of `keys` (ascending) and their `items`, a node full at most; takes both arrays over. */
export function flatObject(keys: readonly string[], items: readonly Slot[]): ObjectValue {
  return leafOf(keys, keys, items);
}

/** The leaf of `keys` (ascending) and their `items` in a larger tree; takes both arrays over. */
export function objectLeaf(keys: readonly string[], items: readonly Slot[]): Child {
  return leafText(keys, items) ?? leafOf(packNames(keys), keys, items);
}

/** `child` as an object by itself: a root is a node, its names listed if it is a leaf that was a text. */
export function objectRoot(child: Child): ObjectValue {
  if (typeof child !== 'string') return child;
  return flatObject(listNames(child).map(ownName), itemsIn(child));
}

/** The node of `height` over `children` with their lower bounds `keys`; takes both arrays over. */
export function objectBranch(
  height: number,
  keys: readonly string[],
  children: readonly Child[],
): ObjectValue {
  assert(keys.length === children.length, 'a branch has a bound per child');
  assert(height > 0 && keys.length <= BRANCH_MAX, 'a branch holds a node full of children');
  let count = 0;
  let bytes = 0;
  let depth = 0;
  let a = 0;
  let b = 0;
  for (const child of children) {
    const held = heldIn(child);
    count += held.count;
    bytes += held.bytes;
    if (held.depth > depth) depth = held.depth;
    a = (a + held.a) | 0;
    b = (b + held.b) | 0;
  }
  return new ObjectNode(height, packNames(keys), children, count, bytes, depth, a, b);
}

/** `node` of `keys` and `items` and this `depth`, which holds more than before by `change`. */
export function objectWith(
  node: ObjectValue,
  keys: Names,
  items: readonly Slot[],
  depth: number,
  change: Held,
): ObjectValue {
  return new ObjectNode(
    node.height,
    keys,
    items,
    node.count + change.count,
    node.bytes + change.bytes,
    depth,
    (node.a + change.a) | 0,
    (node.b + change.b) | 0,
  );
}

const MEMBER = makeMeasure();

function leafOf(kept: Names, keys: readonly string[], items: readonly Slot[]): ObjectValue {
  assert(keys.length === items.length, 'a leaf has a value per name');
  assert(keys.length <= LEAF_MAX + 1, 'a leaf holds a node full of members');
  let bytes = 0;
  let depth = 0;
  let a = 0;
  let b = 0;
  for (let i = 0; i < keys.length; i++) {
    measureMember(keys[i]!, items[i]!, MEMBER);
    bytes += MEMBER.bytes;
    if (MEMBER.depth > depth) depth = MEMBER.depth;
    a = (a + MEMBER.a) | 0;
    b = (b + MEMBER.b) | 0;
  }
  return new ObjectNode(0, kept, items, keys.length, bytes, depth, a, b);
}
