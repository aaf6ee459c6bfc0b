// Nodes of objects: made from their parts, or from an older node by the difference of one part.

import { assert } from '@deltabase/base';
import { makePart, measureMember } from './measure.js';
import { depthAfter, NODE_MAX } from './tree.js';
import type { Held, ObjectValue, Slot } from './value.js';

/** `{}`. */
export const EMPTY_OBJECT: ObjectValue = makeNode(0, [], [], 0, 0, 0, 0, 0);

/** The leaf of `keys` (ascending) and their `items`; takes both arrays over. */
export function objectLeaf(keys: readonly string[], items: readonly Slot[]): ObjectValue {
  assert(keys.length === items.length, 'a leaf has a value per name');
  assert(keys.length <= NODE_MAX + 1, 'a leaf holds a node full of members');
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
  return makeNode(0, keys, items, keys.length, bytes, depth, a, b);
}

/** The node of `height` over `children` with their lower bounds `keys`; takes both arrays over. */
export function objectBranch(
  height: number,
  keys: readonly string[],
  children: readonly ObjectValue[],
): ObjectValue {
  assert(keys.length === children.length, 'a branch has a bound per child');
  assert(height > 0 && keys.length <= NODE_MAX, 'a branch holds a node full of children');
  let count = 0;
  let bytes = 0;
  let depth = 0;
  let a = 0;
  let b = 0;
  for (const child of children) {
    count += child.count;
    bytes += child.bytes;
    if (child.depth > depth) depth = child.depth;
    a = (a + child.a) | 0;
    b = (b + child.b) | 0;
  }
  return makeNode(height, keys, children, count, bytes, depth, a, b);
}

/**
 * `node` with its part `old` become `now`: a child, or a member measured by `measureMember`; `keys` and
 * `items` are those after the change.
 */
export function objectWith(
  node: ObjectValue,
  old: Held,
  now: Held,
  keys: readonly string[],
  items: readonly Slot[],
): ObjectValue {
  return makeNode(
    node.height,
    keys,
    items,
    node.count + now.count - old.count,
    node.bytes + now.bytes - old.bytes,
    depthAfter(node, old.depth, now.depth, items),
    (node.a + now.a - old.a) | 0,
    (node.b + now.b - old.b) | 0,
  );
}

const MEMBER = makePart();

function makeNode(
  height: number,
  keys: readonly string[],
  items: readonly Slot[],
  count: number,
  bytes: number,
  depth: number,
  a: number,
  b: number,
): ObjectValue {
  return { kind: 'object', height, keys, items, count, bytes, depth, a, b };
}
