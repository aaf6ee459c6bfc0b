// RFC 6902 applied strictly: an operation either fits the document or fails, and nothing is half done,
// because a state is a root that failure leaves as it was. Cost: the path, whatever the document holds.

import { assert } from '@deltabase/base';
import { arrayInsert, arrayRemove, arraySet } from './array-tree.js';
import { slotsEqual } from './equal.js';
import { objectRemove, objectSet } from './object-tree.js';
import { type Operation, type Patch, patchError, slotOfOperation } from './operation.js';
import { arrayIndex, malformed, quotePointer, type Tokens, tokensOf } from './pointer.js';
import { childSlot, isContainer, slotAt } from './read.js';
import {
  type ArrayValue,
  type Container,
  isObject,
  kind,
  type ObjectValue,
  type Slot,
  type Value,
  valueIn,
} from './value.js';

/**
 * The document `root` once all of `patch` took effect. Throws BAD_PATCH for the first operation that does
 * not fit, with its index in `details.operation`; then nothing took effect.
 */
export function applyPatch(root: Value, patch: Patch): Value {
  let current = root;
  for (let i = 0; i < patch.length; i++) current = applyOperation(current, patch[i]!, i);
  return current;
}

/**
 * The document `root` once `operation` took effect, the one at `index` of its patch. Throws BAD_PATCH.
 * Removing the whole document is refused, because no JSON would remain.
 */
export function applyOperation(root: Value, operation: Operation, index = 0): Value {
  return applySlot(root, operation, slotOfOperation(operation), index);
}

/** `applyOperation` where the slot of the operation is known. */
export function applySlot(root: Value, operation: Operation, slot: Slot, index: number): Value {
  const path = siteOf(operation.path, index);
  switch (operation.op) {
    case 'add':
      return addAt(root, path, slot);
    case 'replace':
      return replaceAt(root, path, slot);
    case 'remove':
      return removeAt(root, path);
    case 'test':
      testAt(root, path, slot);
      return root;
    case 'copy':
      return addAt(root, path, existing(root, siteOf(operation.from, index)));
    case 'move':
      return moveTo(root, siteOf(operation.from, index), path);
  }
}

/** A place in the document, and what errors say about it. */
interface Site {
  readonly tokens: Tokens;
  readonly pointer: string;
  readonly operation: number;
}

function siteOf(pointer: string, operation: number): Site {
  const tokens = tokensOf(pointer);
  if (tokens === undefined) throw patchError(operation, malformed(pointer));
  return { tokens, pointer, operation };
}

function addAt(root: Value, path: Site, slot: Slot): Value {
  return path.tokens.length === 0 ? valueIn(slot) : change(root, path, 0, 'add', slot);
}

function replaceAt(root: Value, path: Site, slot: Slot): Value {
  return path.tokens.length === 0 ? valueIn(slot) : change(root, path, 0, 'replace', slot);
}

function removeAt(root: Value, path: Site): Value {
  if (path.tokens.length > 0) return change(root, path, 0, 'remove', null);
  throw patchError(path.operation, 'the whole document cannot be removed; replace it with null');
}

function testAt(root: Value, path: Site, expected: Slot): void {
  if (slotsEqual(existing(root, path), expected)) return;
  throw patchError(path.operation, `the value at ${quotePointer(path.pointer)} is another`);
}

function moveTo(root: Value, from: Site, path: Site): Value {
  const slot = existing(root, from);
  if (startsWith(path.tokens, from.tokens)) {
    if (path.tokens.length === from.tokens.length) return root;
    const problem = `${quotePointer(from.pointer)} cannot be moved into itself; copy it instead`;
    throw patchError(from.operation, problem);
  }
  return addAt(removeAt(root, from), path, slot);
}

/** What is kept at `site`; throws BAD_PATCH if there is nothing. */
function existing(root: Value, site: Site): Slot {
  const slot = slotAt(root, site.tokens, site.tokens.length);
  if (slot === undefined) throw missing(site);
  return slot;
}

type Change = 'add' | 'replace' | 'remove';

/** `slot`, which is at the first `depth` tokens, with what is at the end of the path changed. */
function change(slot: Slot, path: Site, depth: number, how: Change, value: Slot): Container {
  assert(depth < path.tokens.length, 'a change is below the place it is made from');
  const token = path.tokens[depth]!;
  if (!isContainer(slot)) throw noContainer(path, slot);
  if (depth === path.tokens.length - 1) {
    return isObject(slot)
      ? changeMember(slot, token, path, how, value)
      : changeElement(slot, token, path, how, value);
  }
  const child = childSlot(slot, token);
  if (child === undefined) throw missing(path);
  const changed = change(child, path, depth + 1, how, value);
  if (changed === child) return slot;
  return isObject(slot)
    ? objectSet(slot, token, changed)
    : arraySet(slot, arrayIndex(token), changed);
}

function changeMember(
  object: ObjectValue,
  name: string,
  path: Site,
  how: Change,
  value: Slot,
): ObjectValue {
  if (how === 'remove') {
    const rest = objectRemove(object, name);
    if (rest === object) throw missing(path);
    return rest;
  }
  const changed = objectSet(object, name, value);
  if (how === 'replace' && changed.count > object.count) throw missing(path);
  return changed;
}

function changeElement(
  array: ArrayValue,
  token: string,
  path: Site,
  how: Change,
  value: Slot,
): ArrayValue {
  const index = token === '-' ? array.count : arrayIndex(token);
  if (index < 0) {
    const problem = `${quotePointer(path.pointer)} is in an array: name a position, or "-" to append`;
    throw patchError(path.operation, problem);
  }
  if (index > array.count || (index === array.count && how !== 'add')) throw missing(path);
  if (how === 'add') return arrayInsert(array, index, value);
  return how === 'remove' ? arrayRemove(array, index) : arraySet(array, index, value);
}

function startsWith(tokens: Tokens, prefix: Tokens): boolean {
  return prefix.length <= tokens.length && prefix.every((token, i) => token === tokens[i]);
}

function missing(site: Site): Error {
  const problem = `nothing is at ${quotePointer(site.pointer)}; add what is missing first`;
  return patchError(site.operation, problem);
}

function noContainer(site: Site, slot: Slot): Error {
  const problem = `${quotePointer(site.pointer)} is inside a ${kind(valueIn(slot))}; replace that first`;
  return patchError(site.operation, problem);
}
