// The nodes of containers in whichever form they are: leaves of objects may be one text (leaf-text.ts).

import { measureLeaf, scalarsOf } from './leaf-text.js';
import { makeMeasure } from './measure.js';
import { countNames, type Names, nameAt, ownName } from './names.js';
import type { ArrayValue, Child, Held, Slot } from './value.js';

/** Levels below `child`; 0: it is a leaf. */
export function heightOf(child: ArrayValue | Child): number {
  return typeof child === 'string' ? 0 : child.height;
}

/** How many items `child` has: of a leaf its members or elements. */
export function widthOf(child: ArrayValue | Child): number {
  return typeof child === 'string' ? countNames(child) : child.items.length;
}

/** The names of a leaf, or the bounds of a branch. */
export function namesIn(child: Child): Names {
  return typeof child === 'string' ? child : child.keys;
}

/** The name of the member at `at` of a leaf; `undefined`: it is a leaf of an array. */
export function nameIn(leaf: ArrayValue | Child, at: number): string | undefined {
  if (typeof leaf !== 'string' && leaf.kind === 'array') return undefined;
  return nameAt(namesIn(leaf), at);
}

/** The items of `child`; of a text in O(its length). */
export function itemsIn(child: ArrayValue | Child): readonly Slot[] {
  return typeof child === 'string' ? scalarsOf(child) : child.items;
}

/** What `child` caches; to be read before the next call. */
export function heldIn(child: ArrayValue | Child): Held {
  if (typeof child !== 'string') return child;
  measureLeaf(child, TEXT);
  return TEXT;
}

/** The name that `child` begins with, as its parent keeps it. */
export function firstName(child: Child): string {
  return ownName(nameAt(namesIn(child), 0));
}

const TEXT = makeMeasure();
