// The places that the last search in a large object came by. A message reads a member before it changes it, and
// nearly all that it costs to find the member again is known then. Kept are names and places but no node, so that no
// state stays in memory for it: a place follows from the names and the one that is sought, in whichever object.

import { childFor, findName, type Names } from './names.js';

let key = '';
/** Levels above leaves of the object that was searched. */
let top = -1;
/** By height: the names of a leaf or the bounds of a branch, and the place in it. */
const passed: Names[] = [];
const places: number[] = [];

/** A search for `name` begins at a node of `height`; `leaveTrail` for it and each node below must follow. */
export function beginTrail(name: string, height: number): void {
  key = name;
  top = height;
}

/** The search came by a node of `height` with these names, at `place`. */
export function leaveTrail(height: number, names: Names, place: number): void {
  passed[height] = names;
  places[height] = place;
}

/** `findName` in a leaf (`height` 0), `childFor` in a branch: known if the last search came by the same names. */
export function placeOf(name: string, height: number, names: Names): number {
  if (height <= top && name === key && names === passed[height]) return places[height]!;
  return height > 0 ? childFor(names, name) : findName(names, name);
}
