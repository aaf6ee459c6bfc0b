// Patches from text or plain JavaScript, strictly (RFC 6902 §3, §4): each operation has the members that it
// needs, of the right type, and its pointers are well-formed. Members it does not define are ignored.

import { DEFAULT_LIMITS } from '@deltabase/base';
import {
  checkText,
  convert,
  type Json,
  type JsonOptions,
  makeTally,
  type Tally,
  valueFromJson,
} from './json.js';
import { type Operation, type Patch, patchError } from './operation.js';
import { checkNames, parsePlain } from './parse.js';
import { malformed, tokensOf } from './pointer.js';
import type { Value } from './value.js';

/**
 * The patch that `input` says: JSON text, its UTF-8, or plain JavaScript; `depthMax` is that of a value in
 * it. Throws INVALID_ARGUMENT as `parseValue` does where it is not JSON, and BAD_PATCH, with the index of
 * the operation in `details.operation`, where it is not a patch.
 */
export function parsePatch(input: string | Uint8Array | Json, options: JsonOptions = {}): Patch {
  const depthMax = options.depthMax ?? DEFAULT_LIMITS.jsonDepthMax;
  if (typeof input !== 'string' && !(input instanceof Uint8Array)) {
    return patchFrom(input, depthMax, makeTally());
  }
  // A value stands two containers deep in a patch: in its operation, in the list.
  const { json, names } = parsePlain(input, depthMax + 2);
  const tally = makeTally();
  const patch = patchFrom(json, depthMax, tally);
  checkNames(tally, names);
  return patch;
}

function patchFrom(json: unknown, depthMax: number, tally: Tally): Patch {
  if (!Array.isArray(json)) throw patchError(0, 'a patch is an array of operations');
  return (json as readonly unknown[]).map((each, i) => operationFrom(each, i, depthMax, tally));
}

function operationFrom(json: unknown, index: number, depthMax: number, tally: Tally): Operation {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw patchError(index, 'it is not an object');
  }
  const { names } = tally;
  const operation = neededFrom(json, index, depthMax, tally);
  if (Object.keys(json).length === Object.keys(operation).length) {
    tally.names += Object.keys(json).length;
  } else {
    // What is ignored is JSON as well: all of it is checked and counted.
    tally.names = names;
    convert(json, depthMax + 1, tally);
  }
  return operation;
}

interface Members {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: unknown;
}

/** The members that an operation needs. */
function neededFrom(members: Members, index: number, depthMax: number, tally: Tally): Operation {
  const { op } = members;
  switch (op) {
    case 'add':
    case 'replace':
    case 'test': {
      const path = pointerFrom(members, 'path', index);
      return { op, path, value: valueFrom(members, index, depthMax, tally) };
    }
    case 'remove':
      return { op, path: pointerFrom(members, 'path', index) };
    case 'move':
    case 'copy': {
      const from = pointerFrom(members, 'from', index);
      return { op, from, path: pointerFrom(members, 'path', index) };
    }
    default:
      throw patchError(index, '"op" must be add, remove, replace, move, copy or test');
  }
}

function pointerFrom(members: Members, name: 'path' | 'from', index: number): string {
  const pointer = members[name];
  if (typeof pointer !== 'string') throw patchError(index, `"${name}" must be a JSON pointer`);
  checkText(pointer);
  if (tokensOf(pointer) === undefined) throw patchError(index, malformed(pointer));
  return pointer;
}

function valueFrom(members: Members, index: number, depthMax: number, tally: Tally): Value {
  const { value } = members;
  if (value === undefined) throw patchError(index, '"value" is missing');
  return valueFromJson(value, depthMax, tally);
}
