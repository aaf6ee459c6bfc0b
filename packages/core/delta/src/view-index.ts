// Whose view a change of a document touches, among any number of filters: found along what changed, so that
// the filters that are not touched cost nothing.

import { changedMembers } from './changed-members.js';
import { slotsEqual } from './equal.js';
import { parsePointer } from './pointer.js';
import { childSlot } from './read.js';
import { isObject, type ObjectValue, type Slot, type Value } from './value.js';
import type { ViewFilter } from './view.js';

interface Place<T> {
  /** Those with a pointer to here. */
  readonly owners: Set<T>;
  readonly below: Map<string, Place<T>>;
}

/** With more names below a place than this, what changed there is looked through, not the names. */
const NAMES_MAX = 8;

export class ViewIndex<T> {
  readonly #root: Place<T> = placeOf();

  /** Whether there is nobody. */
  get isEmpty(): boolean {
    return this.#root.below.size === 0 && this.#root.owners.size === 0;
  }

  /** `owner` is touched by what changes the view of `filter` from now on. */
  add(filter: ViewFilter, owner: T): void {
    for (const pointer of filter.pointers) {
      let place = this.#root;
      for (const token of parsePointer(pointer)) {
        let next = place.below.get(token);
        if (next === undefined) {
          next = placeOf();
          place.below.set(token, next);
        }
        place = next;
      }
      place.owners.add(owner);
    }
  }

  /** `owner`, which was added with `filter`, is not touched any more. */
  delete(filter: ViewFilter, owner: T): void {
    for (const pointer of filter.pointers) remove(this.#root, parsePointer(pointer), 0, owner);
  }

  /**
   * The owners whose view differs between two states of the document. The work grows with what changed on the way to
   * pointers and at them, and with the number of pointers only as far as few lie side by side.
   */
  touched(before: Value, after: Value): ReadonlySet<T> {
    const touched = new Set<T>();
    collect(this.#root, before, after, touched);
    return touched;
  }
}

function placeOf<T>(): Place<T> {
  return { owners: new Set(), below: new Map() };
}

/** Takes `owner` out behind `depth` of the tokens; whether nothing is left at `place`. */
function remove<T>(place: Place<T>, tokens: readonly string[], depth: number, owner: T): boolean {
  const token = tokens[depth];
  if (token === undefined) place.owners.delete(owner);
  else if (remove(place.below.get(token)!, tokens, depth + 1, owner)) place.below.delete(token);
  return place.owners.size === 0 && place.below.size === 0;
}

function collect<T>(
  place: Place<T>,
  before: Slot | undefined,
  after: Slot | undefined,
  touched: Set<T>,
): void {
  if (before === after) return;
  const { owners, below } = place;
  if (owners.size > 0 && !isSame(before, after)) for (const owner of owners) touched.add(owner);
  if (below.size > NAMES_MAX && isMembers(before) && isMembers(after)) {
    for (const { name, before: was, after: is } of changedMembers(before, after)) {
      const next = below.get(name);
      if (next !== undefined) collect(next, was, is, touched);
    }
    return;
  }
  for (const [token, next] of below) {
    collect(next, childAt(before, token), childAt(after, token), touched);
  }
}

function isSame(before: Slot | undefined, after: Slot | undefined): boolean {
  return before !== undefined && after !== undefined && slotsEqual(before, after);
}

function isMembers(slot: Slot | undefined): slot is ObjectValue {
  return slot !== undefined && isObject(slot);
}

function childAt(slot: Slot | undefined, token: string): Slot | undefined {
  return slot === undefined ? undefined : childSlot(slot, token);
}
