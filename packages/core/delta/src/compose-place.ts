// What composition knows about one place in the document while it walks the operations: which earlier
// operations can still be changed or dropped there. Places form a tree by reference token. Knowing less is
// always safe: an operation that no place knows stays as it is.

import type { Operation } from './operation.js';
import { arrayIndex, type Tokens } from './pointer.js';

/** One operation of the result; `undefined` once it is dropped. */
export interface Entry {
  operation: Operation | undefined;
}

/** One place in the document, as the operations so far left it. */
export interface Place {
  /** The operation that last set or removed what is here; everything below is part of its value. */
  entry: Entry | undefined;
  /** Operations somewhere below, at positions that later ones moved; dropped only with all that is here. */
  buried: Entry[];
  /** Whether what is here is known to be an object, by a name that is no position. */
  isObject: boolean;
  /** Whether something directly below came or went at what may be a position. */
  hasShifted: boolean;
  /** The removal directly below, if no operation has passed here since. */
  removal: { readonly token: string; readonly entry: Entry } | undefined;
  readonly below: Map<string, Place>;
}

export function makePlace(): Place {
  return {
    entry: undefined,
    buried: [],
    isObject: false,
    hasShifted: false,
    removal: undefined,
    below: new Map(),
  };
}

/** The places from `root` along `tokens`, made where they are missing: one more than there are tokens. */
export function placesAlong(root: Place, tokens: Tokens): readonly Place[] {
  const places = [root];
  let place = root;
  for (const token of tokens) {
    if (!mayBePosition(token)) place.isObject = true;
    let next = place.below.get(token);
    if (next === undefined) {
      next = makePlace();
      place.below.set(token, next);
    }
    place = next;
    places.push(place);
  }
  return places;
}

/** Whether something at `token` below `place` may be an element of an array. */
export function isPosition(place: Place, token: string): boolean {
  return !place.isObject && mayBePosition(token);
}

/** All that is known to have happened at or below `place` did not happen. */
export function dropAll(place: Place): void {
  for (const entry of entriesOf(place)) entry.operation = undefined;
  forget(place);
}

/** Nothing is known any more of `place` and what is below. */
export function forget(place: Place): void {
  place.entry = undefined;
  place.buried = [];
  place.hasShifted = false;
  place.isObject = false;
  place.removal = undefined;
  place.below.clear();
}

/** Positions below `place` move: what happened at them is told apart no longer. */
export function bury(place: Place): void {
  const { buried } = place;
  if (place.entry !== undefined) buried.push(place.entry);
  for (const child of place.below.values()) buried.push(...entriesOf(child));
  forget(place);
  place.buried = buried;
  place.hasShifted = true;
}

/**
 * An operation that stays as it is depends on the way along `places`: what happened there stays, too. The
 * last place is not part of the way.
 */
export function pin(places: readonly Place[]): void {
  for (const place of places.slice(0, -1)) {
    if (place.hasShifted) {
      forget(place);
      return;
    }
    place.entry = undefined;
    place.buried = [];
    place.removal = undefined;
  }
}

/** Everything known to have happened at or below `place`. */
export function* entriesOf(place: Place): Generator<Entry, void, void> {
  if (place.entry !== undefined) yield place.entry;
  yield* place.buried;
  for (const child of place.below.values()) yield* entriesOf(child);
}

function mayBePosition(token: string): boolean {
  return token === '-' || arrayIndex(token) >= 0;
}
