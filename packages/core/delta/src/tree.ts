// What the trees of objects and arrays have in common: how full a node may be, where it splits, how deep
// it is. Invariant: every node but a root holds [NODE_MIN, NODE_MAX] items, and all leaves are at one
// depth; so no sequence of changes makes a path longer than log(n) / log(NODE_MIN).

import type { Container, Slot } from './value.js';

/** Items of a node at most: a container of as many is one flat node. */
export const NODE_MAX = 32;

/** Items of a node below a root at least. A quarter of the most, so that splits and merges stay apart. */
export const NODE_MIN = 8;

/** Items left of the split of an overfull node whose item at `changed` is the new one. */
export function splitPoint(changed: number): number {
  // Appending in order leaves nodes three quarters full rather than half.
  if (changed >= NODE_MAX - 1) return NODE_MAX - NODE_MIN;
  if (changed <= 1) return NODE_MIN + 1;
  return (NODE_MAX + 1) >> 1;
}

/** A copy of `items` with `item` at `at`. */
export function replacedAt<T>(items: readonly T[], at: number, item: T): readonly T[] {
  const copy = items.slice();
  copy[at] = item;
  return copy;
}

/** The depth of `node` once a part of depth `old` has `now`; `items` are those after the change. */
export function depthAfter(
  node: Container,
  old: number,
  now: number,
  items: readonly Slot[],
): number {
  if (now >= old || old < node.depth) return Math.max(node.depth, now);
  // The deepest part went: only its neighbours know how deep the node is now.
  let depth = 0;
  for (const item of items) {
    if (typeof item !== 'object' || item === null || item.kind === 'text') continue;
    depth = Math.max(depth, node.height > 0 ? item.depth : item.depth + 1);
  }
  return depth;
}
