// The places that the last search in a large object came by. A message reads a member before it changes it, and
// nearly all that it costs to find the member again is known then. Kept are packed texts and places, some KB and no
// node, so that no state stays in memory for it: a place follows from the names and the one that is sought, in
// whichever object.

import { childFor, findName, type Names } from './names.js';

let key = '';
/** Levels above leaves of the object that was searched; -1: the trail is not whole. */
let top = -1;
/** By height: the names of a leaf or the bounds of a branch, and the place in it. */
const passed: string[] = [];
const places: number[] = [];

/** A search begins. If it never ends, as where the stack does, there is no trail. */
export function beginTrail(): void {
  top = -1;
}

/** The search came by a node of `height` with these names, at `place`. */
export function leaveTrail(height: number, names: Names, place: number): void {
  // Listed names may be of any length, and are rare where there are many.
  passed[height] = typeof names === 'string' ? names : '';
  places[height] = place;
}

/** The search was for `name`, and came by a node of each height from `height` down. */
export function endTrail(name: string, height: number): void {
  key = name;
  top = height;
}

/** `findName` in a leaf (`height` 0), `childFor` in a branch: known if the last search came by the same names. */
export function placeOf(name: string, height: number, names: Names): number {
  if (height <= top && name === key && names === passed[height]) return places[height]!;
  return height > 0 ? childFor(names, name) : findName(names, name);
}
