// Patches to draw: ones that fit a given document, made by walking it, and ones that may be anything.

import fc from 'fast-check';
import { applyOperation } from '../src/apply.js';
import { fromJson, type Json, toJson } from '../src/json.js';
import type { Operation, Patch } from '../src/operation.js';
import { escapeToken } from '../src/pointer.js';
import { getAt } from '../src/read.js';
import { isArray, isObject, type Value } from '../src/value.js';
import { json, name } from './arbitraries.js';

/** Random numbers that become one operation once there is a document to apply it to. */
export interface Choice {
  readonly op: Operation['op'];
  readonly where: number;
  readonly from: number;
  readonly name: string;
  readonly value: Json;
}

export const choice: fc.Arbitrary<Choice> = fc.record({
  op: fc.constantFrom('add', 'add', 'remove', 'replace', 'replace', 'move', 'copy', 'test'),
  where: fc.nat({ max: 1000 }),
  from: fc.nat({ max: 1000 }),
  name,
  value: json,
});

/** The operation that `choice` means on `state`; `undefined` where it does not fit. */
export function operationFor(state: Value, choice: Choice): Operation | undefined {
  const existing = pointersIn(toJson(state));
  const path = existing[choice.where % existing.length]!;
  const target = targetFor(state, path, choice);
  const from = existing[choice.from % existing.length]!;
  const operation = makeOperation(choice, state, path, target, from);
  try {
    applyOperation(state, operation);
    return operation;
  } catch {
    return undefined;
  }
}

/** Operations that fit `state` in turn, from those of `choices` that do. */
export function patchFor(state: Value, choices: readonly Choice[]): Patch {
  const patch: Operation[] = [];
  let current = state;
  for (const each of choices) {
    const operation = operationFor(current, each);
    if (operation === undefined) continue;
    patch.push(operation);
    current = applyOperation(current, operation);
  }
  return patch;
}

/** The pointers of everything in `value`, the whole first. */
export function pointersIn(value: Json, pointer = ''): string[] {
  if (typeof value !== 'object' || value === null) return [pointer];
  const below = Object.entries(value).flatMap(([token, child]) => {
    return pointersIn(child as Json, `${pointer}/${escapeToken(token)}`);
  });
  return [pointer, ...below];
}

/** Where something can be added at or next to what is at `path`. */
function targetFor(state: Value, path: string, choice: Choice): string {
  const value = getAt(state, path)!;
  if (isObject(value)) return `${path}/${escapeToken(choice.name)}`;
  if (!isArray(value)) return path;
  const index = choice.from % (value.count + 2);
  return `${path}/${index > value.count ? '-' : index}`;
}

function makeOperation(
  choice: Choice,
  state: Value,
  path: string,
  target: string,
  from: string,
): Operation {
  switch (choice.op) {
    case 'add':
      return { op: 'add', path: target, value: fromJson(choice.value) };
    case 'replace':
      return { op: 'replace', path, value: fromJson(choice.value) };
    case 'test':
      return { op: 'test', path, value: getAt(state, path)! };
    case 'remove':
      return { op: 'remove', path };
    case 'move':
    case 'copy':
      return { op: choice.op, from, path: target };
  }
}
