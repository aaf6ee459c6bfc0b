// What the trees of objects and arrays have in common: how full a node may be, where it splits, how deep
// it is. Invariant: every node but a root holds NODE_MIN items at least, leaves LEAF_MAX and branches BRANCH_MAX at
// most, and all leaves are at one depth; so no sequence of changes makes a path longer than log(n) / log(NODE_MIN).

import type { Container, Slot } from './value.js';

/** Members or elements of a leaf at most: a container of as many is one flat node. */
export const LEAF_MAX = 32;

/** Children of a branch at most: more than that makes copies dear, less makes more nodes than caches hold. */
export const BRANCH_MAX = 64;

/** Items of a node below a root at least. A quarter of the most, or less, so that splits and merges stay apart. */
export const NODE_MIN = 8;

/** Items of a node of `height` at most. */
export function mostAt(height: number): number {
  return height === 0 ? LEAF_MAX : BRANCH_MAX;
}

/** Items left of the split of an overfull node of `height` whose item at `changed` is the new one. */
export function splitPoint(height: number, changed: number): number {
  const most = mostAt(height);
  // Appending in order leaves nodes three quarters full, or more, rather than half.
  if (changed >= most - 1) return most - NODE_MIN;
  if (changed <= 1) return NODE_MIN + 1;
  return (most + 1) >> 1;
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
