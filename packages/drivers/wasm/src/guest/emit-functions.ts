// Host functions that emit: each applies one RFC 6902 operation to the draft, at once. The draft holds the
// limits of a patch; what could be large is measured before it is decoded.

import { type Operation, parseValue, type Value } from '@deltabase/delta';
import { OPERATIONS } from '../abi/abi.js';
import {
  EMIT_FUEL,
  EMIT_PART_FUEL,
  HOST_CALL_FUEL,
  PARSE_BYTE_FUEL,
  VALUE_BYTE_FUEL,
} from '../meter/costs.js';
import type { Activation } from './activation.js';
import { badOutput, Fault } from './fault.js';

/** The emitting part of the host functions. */
export function emitFunctions(active: Activation) {
  const { jsonDepthMax, patchBytesMax } = active.limits;
  const jsonOptions = { depthMax: jsonDepthMax };

  function spend(bytes: number, byteFuel: number): void {
    if (bytes > patchBytesMax) {
      throw new Fault(
        'OUTPUT_TOO_LARGE',
        `a value of ${bytes} bytes; the patch of a message has at most ${patchBytesMax}`,
      );
    }
    active.spend(HOST_CALL_FUEL + EMIT_FUEL + bytes * byteFuel);
  }

  /** The path of an operation. */
  function place(address: number, length: number): string {
    const pointer = active.pointer(address, length);
    active.spend(partsOf(pointer) * EMIT_PART_FUEL);
    return pointer;
  }

  return {
    emit(operation: number, path: number, pathLength: number, at: number, length: number): void {
      spend(length >>> 0, PARSE_BYTE_FUEL);
      const pointer = place(path, pathLength);
      const op = OPERATIONS[operation];
      switch (op) {
        case 'add':
        case 'replace':
        case 'test': {
          const text = active.text(at, length, 'a value');
          active.draft.emit({ op, path: pointer, value: parseValue(text, jsonOptions) });
          return;
        }
        case 'remove':
          active.draft.emit({ op, path: pointer });
          return;
        case 'move':
        case 'copy':
          active.draft.emit({ op, from: active.pointer(at, length), path: pointer });
          return;
        default:
          throw badOutput(`operation ${operation} is not one of 0 to ${OPERATIONS.length - 1}`);
      }
    },

    emit_text(operation: number, path: number, pathLength: number, at: number, length: number) {
      spend(length >>> 0, VALUE_BYTE_FUEL);
      const pointer = place(path, pathLength);
      active.draft.emit(withValue(operation, pointer, active.text(at, length, 'a text')));
    },

    emit_number(operation: number, path: number, pathLength: number, value: number): void {
      spend(0, 0);
      const pointer = place(path, pathLength);
      active.draft.emit(withValue(operation, pointer, finite(value)));
    },
  };
}

const SLASH = 0x2f;

function partsOf(pointer: string): number {
  let parts = 0;
  for (let i = 0; i < pointer.length; i++) {
    if (pointer.charCodeAt(i) === SLASH) parts++;
  }
  return parts;
}

/** `value` as JSON can say it: no -0. Refuses NaN and infinities. */
export function finite(value: number): number {
  if (!Number.isFinite(value)) throw badOutput(`JSON has no number ${value}`);
  return value + 0;
}

function withValue(operation: number, path: string, value: Value): Operation {
  const op = OPERATIONS[operation];
  if (op === 'add' || op === 'replace' || op === 'test') return { op, path, value };
  throw badOutput(`operation ${operation} is none that has a value`);
}
