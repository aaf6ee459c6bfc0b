// Reading values: at a pointer, by name or position, and in order from a position. Reading n members costs
// O(log size + n) wherever it begins.

import { arrayGet, childOf, startOf } from './array-tree.js';
import { heightOf, itemsIn, namesIn, widthOf } from './child.js';
import { childFor, findName, listNames } from './names.js';
import { objectGet } from './object-tree.js';
import { arrayIndex, parsePointer, type Tokens } from './pointer.js';
import {
  type ArrayValue,
  type Child,
  type Container,
  isArray,
  isObject,
  type ObjectValue,
  type Slot,
  type Value,
  valueIn,
} from './value.js';

/**
 * The value at `pointer` within `value`; `undefined`: there is nothing. Throws INVALID_ARGUMENT where the
 * pointer is malformed.
 */
export function getAt(value: Value, pointer: string): Value | undefined {
  return getIn(value, parsePointer(pointer));
}

/** The value at a pointer that was parsed (`parsePointer`); `undefined`: there is nothing. */
export function getIn(value: Value, tokens: Tokens): Value | undefined {
  const slot = slotAt(value, tokens, tokens.length);
  return slot === undefined ? undefined : valueIn(slot);
}

/** The value of the member `name`; `undefined`: there is none. */
export function memberOf(object: ObjectValue, name: string): Value | undefined {
  const slot = objectGet(object, name);
  return slot === undefined ? undefined : valueIn(slot);
}

/** The element at `index`; `undefined`: the array has none. */
export function elementOf(array: ArrayValue, index: number): Value | undefined {
  if (!Number.isInteger(index) || index < 0 || index >= array.count) return undefined;
  return valueIn(arrayGet(array, index));
}

/** Up to `max` names of `object` in order: those after `after`, which need not exist, or the first. */
export function keysAfter(object: ObjectValue, after: string | undefined, max: number): string[] {
  const names: string[] = [];
  collectNames(object, after, max, names);
  return names;
}

/** The members of `object` in order: those whose names come after `after`, or all. */
export function* membersOf(
  object: ObjectValue,
  after?: string,
): Generator<readonly [name: string, value: Value], void, void> {
  for (const [name, slot] of memberSlots(object, after)) yield [name, valueIn(slot)];
}

/** The elements of `array` in order, from `start` on. */
export function* elementsOf(array: ArrayValue, start = 0): Generator<Value, void, void> {
  for (const slot of elementSlots(array, start)) yield valueIn(slot);
}

/** What is kept at the first `length` tokens; `undefined`: nothing. */
export function slotAt(root: Slot, tokens: Tokens, length: number): Slot | undefined {
  let slot: Slot | undefined = root;
  for (let i = 0; i < length && slot !== undefined; i++) slot = childSlot(slot, tokens[i]!);
  return slot;
}

/** What `slot` keeps under `token`; `undefined`: nothing. */
export function childSlot(slot: Slot, token: string): Slot | undefined {
  if (isObject(slot)) return objectGet(slot, token);
  if (!isArray(slot)) return undefined;
  const index = arrayIndex(token);
  return index >= 0 && index < slot.count ? arrayGet(slot, index) : undefined;
}

/** The members of `object` as it keeps them, in order: those after `after`, or all. */
function* memberSlots(
  node: Child,
  after?: string,
): Generator<readonly [name: string, slot: Slot], void, void> {
  const items = itemsIn(node);
  const first = firstAfter(node, after);
  if (heightOf(node) === 0) {
    const names = listNames(namesIn(node), first);
    for (let i = first; i < items.length; i++) yield [names[i - first]!, items[i]!];
    return;
  }
  for (let i = first; i < items.length; i++) {
    yield* memberSlots(items[i] as Child, i === first ? after : undefined);
  }
}

/** The elements of `array` as it keeps them, from `start` on. */
function* elementSlots(array: ArrayValue, start: number): Generator<Slot, void, void> {
  if (array.height === 0) {
    for (let i = start; i < array.items.length; i++) yield array.items[i]!;
    return;
  }
  if (start >= array.count) return;
  const first = childOf(array, start);
  for (let i = first; i < array.items.length; i++) {
    const within = i === first ? start - startOf(array, i) : 0;
    yield* elementSlots(array.items[i] as ArrayValue, within);
  }
}

/** The leaves of `container` in order. */
export function* leavesOf(container: Container): Generator<ArrayValue | Child, void, void> {
  const stack: Array<ArrayValue | Child> = [container];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (typeof node === 'string' || node.height === 0) yield node;
    else for (let i = node.items.length - 1; i >= 0; i--) stack.push(node.items[i] as Container);
  }
}

/** Whether `slot` is an object or an array. */
export function isContainer(slot: Slot): slot is Container {
  return typeof slot === 'object' && slot !== null && slot.kind !== 'text';
}

function collectNames(node: Child, after: string | undefined, max: number, into: string[]): void {
  const first = firstAfter(node, after);
  if (typeof node === 'string' || node.height === 0) {
    const end = Math.min(widthOf(node), first + max - into.length);
    into.push(...listNames(namesIn(node), first, end));
    return;
  }
  for (let i = first; i < node.items.length && into.length < max; i++) {
    collectNames(node.items[i] as Child, i === first ? after : undefined, max, into);
  }
}

/** Index of the first item of `node` that can hold names after `after`. */
function firstAfter(node: Child, after: string | undefined): number {
  if (after === undefined) return 0;
  const names = namesIn(node);
  if (heightOf(node) > 0) return childFor(names, after);
  const at = findName(names, after);
  return at >= 0 ? at + 1 : ~at;
}
