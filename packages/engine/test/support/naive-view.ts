// The view of a document through pointers by the plainest definition of it: what is at each pointer, put into objects
// one by one.

import {
  fromJson,
  getAt,
  hashText,
  type Json,
  parsePointer,
  toJson,
  type Value,
} from '@deltabase/delta';

type Members = Record<string, Json>;

/** `pointers` may lie inside of each other. */
export function naiveView(root: Value, pointers: readonly string[]): Value {
  const view: Members = {};
  // What is around others comes last, and replaces them by all that is there.
  const inwards = pointers.toSorted((a, b) => b.length - a.length);
  for (const pointer of inwards) {
    const value = getAt(root, pointer);
    if (value === undefined) continue;
    const tokens = parsePointer(pointer);
    if (tokens.length === 0) return root;
    let place = view;
    for (const token of tokens.slice(0, -1)) {
      place[token] ??= {};
      place = place[token] as Members;
    }
    place[tokens.at(-1)!] = toJson(value);
  }
  return fromJson(view);
}

export function naiveHash(root: Value, pointers: readonly string[]): string {
  return hashText(naiveView(root, pointers));
}
