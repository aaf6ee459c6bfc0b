// The inverse of a patch, found while it is applied: the operations that take every effect back, last
// first. Applied to the state after the patch it gives the state before it, whatever the patch was.

import { assert } from '@deltabase/base';
import { applyOperation } from './apply.js';
import type { Operation, Patch } from './operation.js';
import { formatPointer, parsePointer, type Tokens } from './pointer.js';
import { slotAt } from './read.js';
import { isArray, type Slot, type Value, valueIn } from './value.js';

/** A state and the way back. */
export interface Inverted {
  readonly root: Value;
  /** Takes `root` back to the state before. */
  readonly inverse: Patch;
}

/** `applyPatch` that also gives the inverse of `patch`; throws BAD_PATCH as it does. */
export function applyWithInverse(root: Value, patch: Patch): Inverted {
  let current = root;
  const undone: (readonly Operation[])[] = [];
  for (let i = 0; i < patch.length; i++) {
    const after = applyOperation(current, patch[i]!, i);
    undone.push(undo(current, patch[i]!));
    current = after;
  }
  return { root: current, inverse: undone.reverse().flat() };
}

/** The operations that take back `operation`, which fits the state `before`. */
function undo(before: Value, operation: Operation): readonly Operation[] {
  const path = parsePointer(operation.path);
  switch (operation.op) {
    case 'test':
      return [];
    case 'add':
    case 'copy':
      return [undoAdd(before, path)];
    case 'replace':
      return [{ op: 'replace', path: operation.path, value: existing(before, path) }];
    case 'remove':
      return [{ op: 'add', path: operation.path, value: existing(before, path) }];
    case 'move':
      return undoMove(before, operation.from, operation.path);
  }
}

/** Takes back an "add" at `path`: it replaced a member or the document, or it made room. */
function undoAdd(before: Value, path: Tokens): Operation {
  const parent = path.length === 0 ? before : slotAt(before, path, path.length - 1);
  assert(parent !== undefined, 'an operation that took effect had a place to do so');
  const old = path.length > 0 && isArray(parent) ? undefined : slotAt(before, path, path.length);
  const pointer = formatPointer(resolved(parent, path));
  if (old === undefined) return { op: 'remove', path: pointer };
  return { op: 'replace', path: pointer, value: valueIn(old) };
}

/** A "move" is a "remove" and then an "add" (RFC 6902 §4.4); both are taken back, the last first. */
function undoMove(before: Value, from: string, path: string): readonly Operation[] {
  if (from === path) return [];
  const between = applyOperation(before, { op: 'remove', path: from });
  const back = undoAdd(between, parsePointer(path));
  // A "move" into itself is refused (RFC 6902 §4.4), even where it would mean another element by then.
  const isBelow = from.startsWith(`${back.path}/`);
  if (back.op === 'remove' && !isBelow) return [{ op: 'move', from: back.path, path: from }];
  return [back, { op: 'add', path: from, value: existing(before, parsePointer(from)) }];
}

/** `path` with the position that "-" stands for. */
function resolved(parent: Slot, path: Tokens): Tokens {
  if (!isArray(parent) || path.at(-1) !== '-') return path;
  return path.with(-1, String(parent.count));
}

function existing(state: Value, path: Tokens): Value {
  const slot = slotAt(state, path, path.length);
  assert(slot !== undefined, 'what was replaced, removed or moved had been there');
  return valueIn(slot);
}
