// RFC 6902 operations as data and as canonical JSON text. The text is what is replicated, so its length is
// known before it is written, and it is written once.

import { assert, DeltabaseError } from '@deltabase/base';
import { writeAscii, writeSlot, writeString } from './canonical.js';
import { makeMeasure, measureSlot, measureText, slotOf } from './measure.js';
import type { Slot, Value } from './value.js';

/** One operation of RFC 6902 §4. `path` and `from` are JSON pointers (RFC 6901). */
export type Operation =
  | { readonly op: 'add'; readonly path: string; readonly value: Value }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'replace'; readonly path: string; readonly value: Value }
  | { readonly op: 'move'; readonly from: string; readonly path: string }
  | { readonly op: 'copy'; readonly from: string; readonly path: string }
  | { readonly op: 'test'; readonly path: string; readonly value: Value };

/** Operations that take effect in order, all or none (RFC 6902 §5). */
export type Patch = readonly Operation[];

/** The error of the operation at `index` of a patch; `problem` says what is wrong and what to do. */
export function patchError(index: number, problem: string): DeltabaseError {
  const details = { operation: index };
  return new DeltabaseError('BAD_PATCH', `operation ${index}: ${problem}`, { details });
}

/** The canonical JSON text of `patch` as UTF-8: a list of operations with sorted members. */
export function encodePatch(patch: Patch): Uint8Array {
  const slots = patch.map(slotOfOperation);
  let length = patch.length === 0 ? 2 : 1;
  patch.forEach((operation, i) => {
    length += operationBytes(operation, slots[i]!) + 1;
  });
  return writePatch(patch, slots, length);
}

/** Bytes that `encodePatch` makes of `patch`; O(operations), whatever their values hold. */
export function patchBytes(patch: Patch): number {
  let bytes = patch.length === 0 ? 2 : 1;
  for (const operation of patch) bytes += operationBytes(operation, slotOfOperation(operation)) + 1;
  return bytes;
}

/** `encodePatch` where the slots of the operations and the length of the text are known. */
export function writePatch(patch: Patch, slots: readonly Slot[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = writeAscii('[', bytes, 0);
  for (let i = 0; i < patch.length; i++) {
    if (i > 0) at = writeAscii(',', bytes, at);
    at = writeOperation(patch[i]!, slots[i]!, bytes, at);
  }
  const end = writeAscii(']', bytes, at);
  assert(end === length, 'the length of a patch is known before it is written');
  return bytes;
}

/** What a container keeps for the value of `operation`; null where it has none. */
export function slotOfOperation(operation: Operation): Slot {
  const { op } = operation;
  return op === 'add' || op === 'replace' || op === 'test' ? slotOf(operation.value) : null;
}

/** Bytes of the canonical JSON text of `operation`, whose value is kept as `slot`. */
export function operationBytes(operation: Operation, slot: Slot): number {
  const frame = FRAME_BYTES[operation.op] + textBytes(operation.path);
  switch (operation.op) {
    case 'add':
    case 'replace':
    case 'test':
      measureSlot(slot, SCRATCH);
      return frame + SCRATCH.bytes;
    case 'move':
    case 'copy':
      return frame + textBytes(operation.from);
    default:
      return frame;
  }
}

const HEAD = {
  add: '{"op":"add","path":',
  remove: '{"op":"remove","path":',
  replace: '{"op":"replace","path":',
  test: '{"op":"test","path":',
  move: ',"op":"move","path":',
  copy: ',"op":"copy","path":',
} as const;
const FROM = '{"from":';
const VALUE = ',"value":';

/** Bytes of an operation's text without its pointers and value. */
const FRAME_BYTES = {
  add: HEAD.add.length + VALUE.length + 1,
  remove: HEAD.remove.length + 1,
  replace: HEAD.replace.length + VALUE.length + 1,
  test: HEAD.test.length + VALUE.length + 1,
  move: FROM.length + HEAD.move.length + 1,
  copy: FROM.length + HEAD.copy.length + 1,
} as const;

const SCRATCH = makeMeasure();

function textBytes(text: string): number {
  measureText(text, SCRATCH);
  return SCRATCH.bytes;
}

function writeOperation(operation: Operation, slot: Slot, into: Uint8Array, start: number): number {
  let at = start;
  if (operation.op === 'move' || operation.op === 'copy') {
    at = writeString(operation.from, into, writeAscii(FROM, into, at));
  }
  at = writeString(operation.path, into, writeAscii(HEAD[operation.op], into, at));
  if (operation.op === 'add' || operation.op === 'replace' || operation.op === 'test') {
    at = writeSlot(slot, into, writeAscii(VALUE, into, at));
  }
  return writeAscii('}', into, at);
}
