// A draft is a document as one message sees and changes it: each emitted operation takes effect at once
// and is kept for the delta. It holds the limits of one message (LogicCannotHurtTheHost) and costs what is
// emitted, whatever the document holds (CostIsTheDelta). A failed message is dropped with its draft.

import { DeltabaseError, type Limits } from '@deltabase/base';
import { applySlot } from './apply.js';
import { bytesOf, depthOf } from './measure.js';
import {
  type Operation,
  operationBytes,
  type Patch,
  patchError,
  slotOfOperation,
  writePatch,
} from './operation.js';
import { getAt, keysAfter } from './read.js';
import { isObject, type Slot, type Value } from './value.js';

/** The limits that a draft holds its message to. */
export type DraftLimits = Pick<
  Limits,
  | 'operationsPerDeltaMax'
  | 'patchBytesMax'
  | 'documentBytesMax'
  | 'jsonDepthMax'
  | 'pointerBytesMax'
>;

/** One message's view of a document, and the patch it makes. */
export class Draft {
  readonly #limits: DraftLimits;
  readonly #operations: Operation[] = [];
  /** Their values as containers keep them, so that no long string is measured twice. */
  readonly #slots: Slot[] = [];
  #root: Value;
  #rootBytes: number;
  #patchBytes = 2;
  #encoded: Uint8Array | undefined;

  /** A draft on the state `root`, without operations. */
  constructor(root: Value, limits: DraftLimits) {
    this.#root = root;
    this.#rootBytes = bytesOf(root);
    this.#limits = limits;
  }

  /** The state with all operations so far. */
  get root(): Value {
    return this.#root;
  }

  /** The operations so far, in order. */
  get operations(): Patch {
    return this.#operations;
  }

  /** Bytes of the patch so far, as `patchBytes` encodes it. */
  get patchLength(): number {
    return this.#patchBytes;
  }

  /** The value at `pointer`; `undefined`: nothing. Throws INVALID_ARGUMENT for a malformed pointer. */
  get(pointer: string): Value | undefined {
    return getAt(this.#root, pointer);
  }

  /**
   * Up to `max` names of the object at `pointer`, those after `after` or the first; `undefined`: there is
   * no object. Throws INVALID_ARGUMENT for a malformed pointer.
   */
  keysAfter(pointer: string, after: string | undefined, max: number): string[] | undefined {
    const value = getAt(this.#root, pointer);
    return value !== undefined && isObject(value) ? keysAfter(value, after, max) : undefined;
  }

  /**
   * Applies `operation` and keeps it. Throws, and changes nothing, with BAD_PATCH where it does not fit
   * the document or nests it too deep, OUTPUT_TOO_LARGE where the patch would exceed its limits, and
   * DOCUMENT_TOO_LARGE where the document would grow beyond its limit.
   */
  emit(operation: Operation): void {
    const index = this.#operations.length;
    const slot = slotOfOperation(operation);
    const patchBytes = this.#admit(operation, slot, index);
    const root = applySlot(this.#root, operation, slot, index);
    if (root !== this.#root) {
      this.#rootBytes = this.#admitRoot(root, index);
      this.#root = root;
    }
    this.#operations.push(operation);
    this.#slots.push(slot);
    this.#patchBytes = patchBytes;
    this.#encoded = undefined;
  }

  /** The patch so far as canonical JSON, UTF-8 (RFC 6902 §3); the same bytes until the next `emit`. */
  patchBytes(): Uint8Array {
    this.#encoded ??= writePatch(this.#operations, this.#slots, this.#patchBytes);
    return this.#encoded;
  }

  /** Bytes of the patch with `operation` as well. */
  #admit(operation: Operation, slot: Slot, index: number): number {
    const { operationsPerDeltaMax, patchBytesMax, pointerBytesMax } = this.#limits;
    if (index >= operationsPerDeltaMax) {
      throw tooLarge(`a message emits at most ${operationsPerDeltaMax} operations; emit fewer`);
    }
    if (
      isLongerThan(operation.path, pointerBytesMax) ||
      ('from' in operation && isLongerThan(operation.from, pointerBytesMax))
    ) {
      throw patchError(index, `a pointer has at most ${pointerBytesMax} bytes; use shorter names`);
    }
    const patchBytes = this.#patchBytes + operationBytes(operation, slot) + (index === 0 ? 0 : 1);
    if (patchBytes > patchBytesMax) {
      throw tooLarge(`a message's patch has at most ${patchBytesMax} bytes; change less at once`);
    }
    return patchBytes;
  }

  /** Bytes of the state `root`. What exceeds a limit already may stay so, but not get worse. */
  #admitRoot(root: Value, index: number): number {
    const { documentBytesMax, jsonDepthMax } = this.#limits;
    const bytes = bytesOf(root);
    if (bytes > documentBytesMax && bytes > this.#rootBytes) {
      throw new DeltabaseError(
        'DOCUMENT_TOO_LARGE',
        `a document has at most ${documentBytesMax} bytes; remove something or use another document`,
        { details: { bytes, documentBytesMax } },
      );
    }
    const depth = depthOf(root);
    if (depth > jsonDepthMax && depth > depthOf(this.#root)) {
      throw patchError(index, `a document nests at most ${jsonDepthMax} containers; nest less`);
    }
    return bytes;
  }
}

function tooLarge(message: string): DeltabaseError {
  return new DeltabaseError('OUTPUT_TOO_LARGE', message);
}

/** Whether `text` has more than `bytesMax` bytes of UTF-8. */
function isLongerThan(text: string, bytesMax: number): boolean {
  if (text.length * 3 <= bytesMax) return false;
  if (text.length > bytesMax) return true;
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes++;
    else bytes += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 2 : 3;
  }
  return bytes > bytesMax;
}
