// What of a document is at some pointers: its *view*. The view is the smallest document of objects in which each
// of the pointers means what it means in the whole: an array on the way to one is an object there whose names
// are positions, and a pointer that leads nowhere leaves no trace. So the view is a function of the state alone.
// A pointer into an array means a position, not an element: what an insertion before it moves there is what it
// means from then on.

import { ObjectBuilder } from './build.js';
import { EMPTY_OBJECT } from './object-node.js';
import { formatPointer, parsePointer } from './pointer.js';
import { childSlot } from './read.js';
import { type Slot, type Value, valueIn } from './value.js';

/** Pointers that belong together: the same for the same set of places, however they were named. */
export interface ViewFilter {
  /** In order, none of them inside another. */
  readonly pointers: readonly string[];
  /** All of them as one text, equal for equal filters only. */
  readonly text: string;
  readonly root: FilterNode;
}

/** A place on the way to pointers, or one of them if nothing is below. */
export interface FilterNode {
  /** By token, in the order of names. */
  readonly below: ReadonlyMap<string, FilterNode>;
}

/**
 * The filter of `pointers` (RFC 6901), at least one; "" makes the whole document its view. Throws INVALID_ARGUMENT
 * where one is malformed.
 */
export function filterOf(pointers: readonly string[]): ViewFilter {
  const root: Growing = { below: new Map(), isEnd: false };
  for (const pointer of pointers) addPointer(root, parsePointer(pointer));
  const kept: string[] = [];
  const node = finished(root, [], kept);
  return { pointers: kept, text: JSON.stringify(kept), root: node };
}

/** The view of the document `root`. O(pointers), whatever is at them. */
export function viewOf(root: Value, { root: node }: ViewFilter): Value {
  const slot = viewAt(root, node);
  return slot === undefined ? EMPTY_OBJECT : valueIn(slot);
}

interface Growing {
  readonly below: Map<string, Growing>;
  isEnd: boolean;
}

function addPointer(root: Growing, tokens: readonly string[]): void {
  let node = root;
  for (const token of tokens) {
    let next = node.below.get(token);
    if (next === undefined) {
      next = { below: new Map(), isEnd: false };
      node.below.set(token, next);
    }
    node = next;
  }
  node.isEnd = true;
}

/** `node` without what is inside of one of its pointers, in order; adds the pointers to `kept`. */
function finished(node: Growing, tokens: readonly string[], kept: string[]): FilterNode {
  const below = new Map<string, FilterNode>();
  if (node.isEnd) {
    kept.push(formatPointer(tokens));
    return { below };
  }
  for (const token of [...node.below.keys()].sort()) {
    below.set(token, finished(node.below.get(token)!, [...tokens, token], kept));
  }
  return { below };
}

/** What of `slot` is at pointers; `undefined`: nothing. */
function viewAt(slot: Slot, node: FilterNode): Slot | undefined {
  if (node.below.size === 0) return slot;
  let builder: ObjectBuilder | undefined;
  for (const [token, next] of node.below) {
    const child = childSlot(slot, token);
    const part = child === undefined ? undefined : viewAt(child, next);
    if (part === undefined) continue;
    builder ??= new ObjectBuilder();
    builder.append(token, part);
  }
  return builder?.finish();
}
