// The difference between two values as a patch. What they share is skipped, so the work grows with what
// changed. Always exact; usually small: a container that changed too much is replaced as a whole.

import { assert } from '@deltabase/base';
import { changedMembers } from './changed-members.js';
import { type ArrayEdit, arrayEdits } from './diff-array.js';
import { slotsEqual } from './equal.js';
import { fromJson, type Json } from './json.js';
import { type Operation, operationBytes, type Patch } from './operation.js';
import { escapeToken } from './pointer.js';
import {
  type ArrayValue,
  isArray,
  isObject,
  type ObjectValue,
  type Slot,
  type Value,
  valueIn,
} from './value.js';

/** A patch that makes `after` out of `before`; empty if they are equal. */
export function diffValues(before: Value, after: Value): Patch {
  const output: Output = { operations: [], bytes: 0, bytesMax: Number.POSITIVE_INFINITY };
  diffSlots(output, '', before, after);
  return output.operations;
}

/**
 * `diffValues` if that patch has at most `bytesMax` bytes as text, without its brackets; `undefined` if not,
 * found out without going on much longer.
 */
export function diffWithin(before: Value, after: Value, bytesMax: number): Patch | undefined {
  const output: Output = { operations: [], bytes: 0, bytesMax };
  diffSlots(output, '', before, after);
  return output.bytes > bytesMax ? undefined : output.operations;
}

/** `diffValues` of plain JavaScript; throws INVALID_ARGUMENT as `fromJson` does. */
export function diffJson(before: Json, after: Json): Patch {
  return diffValues(fromJson(before), fromJson(after));
}

interface Output {
  readonly operations: Operation[];
  /** Bytes of the operations' text. */
  bytes: number;
  /** With more than this, what is being compared is replaced as a whole: there is no need to go on. */
  bytesMax: number;
}

function diffSlots(output: Output, pointer: string, before: Slot, after: Slot): void {
  if (slotsEqual(before, after)) return;
  const whole: Operation = { op: 'replace', path: pointer, value: valueIn(after) };
  const bytes = operationBytes(whole, after);
  if (!diffParts(output, pointer, before, after, bytes)) push(output, whole, bytes);
}

/** Adds what changed part by part, if that is possible within `bytesMax` bytes; whether it was. */
function diffParts(
  output: Output,
  pointer: string,
  before: Slot,
  after: Slot,
  bytesMax: number,
): boolean {
  const { bytes, bytesMax: outerMax } = output;
  const { length } = output.operations;
  output.bytesMax = Math.min(outerMax, bytes + bytesMax);
  if (isObject(before) && isObject(after)) diffObjects(output, pointer, before, after);
  else if (isArray(before) && isArray(after)) diffArrays(output, pointer, before, after);
  else output.bytes = Number.POSITIVE_INFINITY;
  output.bytesMax = outerMax;
  if (output.bytes <= bytes + bytesMax) return true;
  output.operations.length = length;
  output.bytes = bytes;
  return false;
}

function diffObjects(
  output: Output,
  pointer: string,
  before: ObjectValue,
  after: ObjectValue,
): void {
  for (const { name, before: was, after: is } of changedMembers(before, after)) {
    if (output.bytes > output.bytesMax) return;
    const path = `${pointer}/${escapeToken(name)}`;
    if (is === undefined) push(output, { op: 'remove', path });
    else if (was === undefined) add(output, path, is);
    else diffSlots(output, path, was, is);
  }
}

function diffArrays(output: Output, pointer: string, before: ArrayValue, after: ArrayValue): void {
  let index = 0;
  for (const edit of arrayEdits(before, after)) {
    if (output.bytes > output.bytesMax) return;
    index = diffElement(output, pointer, index, edit);
  }
  assert(index === after.count, 'the steps lead to the end of the array');
}

/** Adds what `edit` does at `index`; the index behind it. */
function diffElement(output: Output, pointer: string, index: number, edit: ArrayEdit): number {
  const path = `${pointer}/${index}`;
  switch (edit.kind) {
    case 'keep':
      return index + edit.count;
    case 'remove':
      push(output, { op: 'remove', path });
      return index;
    case 'add':
      add(output, path, edit.slot);
      return index + 1;
    case 'change':
      diffSlots(output, path, edit.before, edit.after);
      return index + 1;
  }
}

function add(output: Output, path: string, slot: Slot): void {
  const operation: Operation = { op: 'add', path, value: valueIn(slot) };
  push(output, operation, operationBytes(operation, slot));
}

function push(output: Output, operation: Operation, bytes = operationBytes(operation, null)): void {
  output.operations.push(operation);
  output.bytes += bytes + 1;
}
