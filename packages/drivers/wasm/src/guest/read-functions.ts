// Host functions that read: the state and the payload by JSON pointer, and the message's context.
// A length or -1 or -2 goes back at once; the bytes wait on the stage until the guest takes them.

import { encodeUtf8Into } from '@deltabase/base';
import {
  bytesOf,
  canonicalBytes,
  count,
  getAt,
  isArray,
  isObject,
  keysAfter,
  type Value,
} from '@deltabase/delta';
import { CONTEXT_FIELDS, KIND_NUMBERS, Missing } from '../abi/abi.js';
import { HOST_CALL_FUEL, KEY_FUEL, TEXT_BYTE_FUEL, WRITE_BYTE_FUEL } from '../meter/costs.js';
import type { Activation } from './activation.js';
import { badOutput } from './fault.js';
import { stageText } from './text.js';

/** The reading part of the host functions. */
export function readFunctions(active: Activation) {
  const at = (root: number, address: number, length: number): Value | undefined => {
    active.spend(HOST_CALL_FUEL);
    return getAt(active.root(root), active.pointer(address, length));
  };
  return {
    read(root: number, address: number, length: number): number {
      const value = at(root, address, length);
      if (value === undefined) return Missing.none;
      // Paid before the bytes exist: a document may be larger than what a message may read.
      active.spend(bytesOf(value) * WRITE_BYTE_FUEL);
      const bytes = canonicalBytes(value);
      return active.stage(bytes, bytes.length);
    },

    take(address: number): void {
      active.spend(HOST_CALL_FUEL);
      active.take(address);
    },

    read_text(root: number, address: number, length: number): number {
      const value = at(root, address, length);
      if (value === undefined) return Missing.none;
      if (typeof value !== 'string') return Missing.otherKind;
      return stageText(active, value);
    },

    read_number(root: number, address: number, length: number): number {
      const value = at(root, address, length);
      return typeof value === 'number' ? value : Number.NaN;
    },

    read_kind(root: number, address: number, length: number): number {
      return kindNumber(at(root, address, length));
    },

    read_count(root: number, address: number, length: number): number {
      const value = at(root, address, length);
      if (value === undefined) return Missing.none;
      return isContainer(value) ? count(value) : Missing.otherKind;
    },

    read_keys(
      root: number,
      address: number,
      length: number,
      afterAddress: number,
      afterLength: number,
      max: number,
    ): number {
      const value = at(root, address, length);
      if (value === undefined) return Missing.none;
      if (!isContainer(value) || isArray(value)) return Missing.otherKind;
      const after = afterLength === -1 ? undefined : textAfter(active, afterAddress, afterLength);
      return stageKeys(active, keysAfter(value, after, clampKeys(active, max)));
    },

    context(field: number): number {
      active.spend(HOST_CALL_FUEL);
      const name = CONTEXT_FIELDS[field];
      if (name === undefined) throw badOutput(`the context has no field ${field}`);
      return stageText(active, active.call[name]);
    },
  };
}

function isContainer(value: Value): value is Extract<Value, object> {
  return isObject(value) || isArray(value);
}

function textAfter(active: Activation, address: number, length: number): string {
  const text = active.text(address, length, 'a key');
  active.spend(length * TEXT_BYTE_FUEL);
  return text;
}

function clampKeys(active: Activation, max: number): number {
  return Math.min(max >>> 0, active.limits.keysPerReadMax);
}

function kindNumber(value: Value | undefined): number {
  switch (typeof value) {
    case 'undefined':
      return KIND_NUMBERS.none;
    case 'boolean':
      return value ? KIND_NUMBERS.true : KIND_NUMBERS.false;
    case 'number':
      return KIND_NUMBERS.number;
    case 'string':
      return KIND_NUMBERS.string;
    default:
      if (value === null) return KIND_NUMBERS.null;
      return isArray(value) ? KIND_NUMBERS.array : KIND_NUMBERS.object;
  }
}

const LENGTH_BYTES = 4;

/** Stages each key as its number of bytes (32 bits, little-endian) and its UTF-8. */
function stageKeys(active: Activation, keys: readonly string[]): number {
  let room = 0;
  for (const key of keys) room += LENGTH_BYTES + 3 * key.length;
  active.spend(keys.length * KEY_FUEL + room * TEXT_BYTE_FUEL);
  const bytes = new Uint8Array(room);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const key of keys) {
    const length = encodeUtf8Into(key, bytes.subarray(at + LENGTH_BYTES));
    view.setUint32(at, length, true);
    at += LENGTH_BYTES + length;
  }
  return active.stage(bytes, at);
}
