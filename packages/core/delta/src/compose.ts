// Composition: one patch in place of several, equal in effect on every document that they fit in turn, and
// smaller where they change one place repeatedly. It sees no document, so a name such as "0" may be a
// position in an array, where what comes or goes moves the others; whatever is not certain stays as it is.

import { assert } from '@deltabase/base';
import { applyOperation } from './apply.js';
import {
  bury,
  dropAll,
  type Entry,
  entriesOf,
  forget,
  isPosition,
  makePlace,
  type Place,
  pin,
  placesAlong,
} from './compose-place.js';
import type { Operation, Patch } from './operation.js';
import { formatPointer, parsePointer, type Tokens } from './pointer.js';

type Edit = Extract<Operation, { readonly op: 'add' | 'replace' | 'remove' }>;
type Setting = Extract<Operation, { readonly op: 'add' | 'replace' }>;
type Transfer = Extract<Operation, { readonly op: 'move' | 'copy' }>;

/**
 * One patch that does what `patches` do in turn, to every document that they fit. It has no "test": where
 * the patches fit, their tests hold. To a document that they do not fit it may do anything that a patch
 * can. Throws INVALID_ARGUMENT for a malformed pointer, and BAD_PATCH where it is certain that no document
 * fits.
 */
export function composePatches(patches: Iterable<Patch>): Patch {
  const composition: Composition = { entries: [], root: makePlace() };
  for (const patch of patches) {
    for (const operation of patch) addOperation(composition, operation);
  }
  const composed: Operation[] = [];
  for (const { operation } of composition.entries) {
    if (operation !== undefined) composed.push(operation);
  }
  return composed;
}

interface Composition {
  entries: Entry[];
  root: Place;
}

function addOperation(composition: Composition, operation: Operation): void {
  if (operation.op === 'test') return;
  if (operation.op === 'move' || operation.op === 'copy') {
    addTransfer(composition, operation);
    return;
  }
  const tokens = parsePointer(operation.path);
  if (tokens.length === 0) {
    // The whole document is another one, whatever happened to it before.
    composition.entries = [];
    composition.root = makePlace();
    composition.root.entry = append(composition, operation);
    return;
  }
  const places = placesAlong(composition.root, tokens);
  if (addToValue(places, tokens, operation)) return;
  const parent = places.at(-2)!;
  const token = tokens.at(-1)!;
  if (isPosition(parent, token) && operation.op !== 'replace') {
    shift(composition, places, token, operation);
  } else {
    set(composition, places, operation);
  }
}

/** Makes `operation` part of the value that an earlier one set above its place, if there is one. */
function addToValue(places: readonly Place[], tokens: Tokens, operation: Edit): boolean {
  const at = places.findIndex((place, i) => i < tokens.length && setValue(place) !== undefined);
  if (at < 0) return false;
  change(places[at]!, { ...operation, path: formatPointer(tokens.slice(at)) });
  return true;
}

/** The operation that set all that is at `place`; `undefined`: there is none, or it is not known. */
function setValue(place: Place): Setting | undefined {
  const operation = place.entry?.operation;
  return operation?.op === 'add' || operation?.op === 'replace' ? operation : undefined;
}

/** Applies `within`, whose pointers begin at `place`, to the value that was set there. */
function change(place: Place, within: Operation): void {
  const setting = setValue(place);
  assert(setting !== undefined, 'only a known value is changed');
  place.entry!.operation = { ...setting, value: applyOperation(setting.value, within) };
  place.below.clear();
}

/** Sets or removes what is at the last of `places`, which no other place moves for. */
function set(composition: Composition, places: readonly Place[], operation: Edit): void {
  const place = places.at(-1)!;
  const earlier = place.entry?.operation;
  if (earlier === undefined) {
    dropAll(place);
    passed(places);
    place.entry = append(composition, operation);
  } else if (operation.op !== 'remove') {
    // The place exists after "replace" and "remove" had it, so there "add" is "replace".
    const op = earlier.op === 'add' ? 'add' : 'replace';
    place.entry!.operation = { op, path: operation.path, value: operation.value };
  } else if (earlier.op === 'replace') {
    place.entry!.operation = operation;
  } else {
    // Whether there was something before the "add" is unknown: it is removed as well.
    place.entry!.operation = { op: 'add', path: operation.path, value: null };
    place.buried.push(place.entry!);
    passed(places);
    place.entry = append(composition, operation);
  }
}

/** Adds or removes at what may be a position: those behind it move. */
function shift(
  composition: Composition,
  places: readonly Place[],
  token: string,
  operation: Edit,
): void {
  const parent = places.at(-2)!;
  const { removal } = parent;
  if (operation.op === 'add' && removal?.token === token) {
    removal.entry.operation = { ...operation, op: 'replace' };
    passed(places);
    places.at(-1)!.entry = removal.entry;
    return;
  }
  if (operation.op === 'remove') shrink(places.at(-1)!);
  passed(places);
  if (token === '-') {
    // Appending moves nothing, but where the element is nobody knows.
    parent.buried.push(...entriesOf(places.at(-1)!), append(composition, operation));
    parent.below.delete(token);
    parent.hasShifted = true;
    return;
  }
  bury(parent);
  const entry = append(composition, operation);
  if (operation.op === 'remove') {
    parent.removal = { token, entry };
    parent.buried.push(entry);
  } else {
    placesAlong(parent, [token]).at(-1)!.entry = entry;
  }
}

/** What is at `place` is removed: what was set there need not be. */
function shrink(place: Place): void {
  const earlier = place.entry?.operation;
  if (earlier?.op === 'add') place.entry!.operation = { ...earlier, value: null };
  else dropAll(place);
}

function addTransfer(composition: Composition, operation: Transfer): void {
  const from = parsePointer(operation.from);
  const path = parsePointer(operation.path);
  const shared = from.findIndex((token, i) => token !== path[i]);
  const places = placesAlong(composition.root, from.slice(0, Math.max(0, shared)));
  const known = places.findIndex((place) => setValue(place) !== undefined);
  if (shared >= 0 && known >= 0 && known < path.length) {
    const within = {
      ...operation,
      from: formatPointer(from.slice(known)),
      path: formatPointer(path.slice(known)),
    };
    change(places[known]!, within);
    return;
  }
  settle(composition, from);
  settle(composition, path);
  append(composition, operation);
}

/** What happened at, above and below `tokens` stays as it is. */
function settle(composition: Composition, tokens: Tokens): void {
  const places = placesAlong(composition.root, tokens);
  pin(places);
  forget(places.at(-1)!);
  const parent = places.at(-2);
  if (parent !== undefined && isPosition(parent, tokens.at(-1)!)) forget(parent);
}

/** An operation passes all but the last of `places`: a removal there is no longer the latest change. */
function passed(places: readonly Place[]): void {
  for (const place of places.slice(0, -1)) place.removal = undefined;
}

function append(composition: Composition, operation: Operation): Entry {
  const entry: Entry = { operation };
  composition.entries.push(entry);
  return entry;
}
