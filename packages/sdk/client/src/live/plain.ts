// Values as plain JavaScript for whoever reads them again and again: what has not changed is not made again, and is the
// same object as before. All of it is frozen, since others have it too.

import {
  type ArrayValue,
  elementsOf,
  type Json,
  membersOf,
  type ObjectValue,
  type Value,
} from '@deltabase/delta';

const made = new WeakMap<object, Json>();

/** `value` as plain JavaScript, frozen. Costs what of it was not asked for before. */
export function plainOf(value: Value): Json {
  if (typeof value !== 'object' || value === null) return value;
  const known = made.get(value);
  if (known !== undefined) return known;
  const plain = Object.freeze(value.kind === 'array' ? arrayOf(value) : objectOf(value));
  made.set(value, plain);
  return plain;
}

function arrayOf(array: ArrayValue): Json[] {
  const plain: Json[] = [];
  for (const element of elementsOf(array)) plain.push(plainOf(element));
  return plain;
}

function objectOf(object: ObjectValue): Record<string, Json> {
  const plain: Record<string, Json> = {};
  for (const [name, member] of membersOf(object)) {
    // No prototype is set, whatever the name.
    if (name === '__proto__') defineProperty(plain, name, plainOf(member));
    else plain[name] = plainOf(member);
  }
  return plain;
}

function defineProperty(plain: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(plain, name, { value, enumerable: true });
}
