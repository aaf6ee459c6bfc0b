// Between plain JavaScript and values. Names such as `__proto__` are members like any other: no prototype
// is read or written.

import { DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import { arrayLeaf, EMPTY_ARRAY } from './array-node.js';
import { ArrayBuilder, ObjectBuilder } from './build.js';
import { heightOf, itemsIn, namesIn } from './child.js';
import { slotOf } from './measure.js';
import { listNames } from './names.js';
import { EMPTY_OBJECT, flatObject } from './object-node.js';
import { LEAF_MAX } from './tree.js';
import {
  type ArrayValue,
  type Child,
  isArray,
  type ObjectValue,
  type Slot,
  type Value,
  valueIn,
} from './value.js';

/** Plain JavaScript that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json;
}

/** Why something is not a value: text or plain JavaScript. Found in `details.problem` of the error. */
export type JsonProblem =
  | 'encoding'
  | 'syntax'
  | 'surrogate'
  | 'number'
  | 'depth'
  | 'name'
  | 'type';

export interface JsonOptions {
  /** Nested containers at most; by default `jsonDepthMax` of the default limits. */
  readonly depthMax?: number;
}

/**
 * The value of `json`, which stays the caller's. Throws INVALID_ARGUMENT, with a JsonProblem in
 * `details.problem`, for what JSON cannot say (`undefined`, functions, class instances, NaN, lone
 * surrogates) and for what is nested deeper than `depthMax`.
 */
export function fromJson(json: Json, options: JsonOptions = {}): Value {
  return valueFromJson(json, options.depthMax ?? DEFAULT_LIMITS.jsonDepthMax, makeTally());
}

/** `value` as plain JavaScript, all its own. */
export function toJson(value: Value): Json {
  return plain(value);
}

/** What `convert` remembers of what it met. */
export interface Tally {
  /** Names of members so far. */
  names: number;
  /** For each count of members the names that the last such object had, sorted. */
  readonly recent: (readonly string[] | undefined)[];
}

export function makeTally(): Tally {
  return { names: 0, recent: [] };
}

/** The value of `json`; counts the names of all members into `tally`. */
export function valueFromJson(json: unknown, depthMax: number, tally: Tally): Value {
  // A string is not measured before a container keeps it.
  return typeof json === 'string' ? checkText(json) : valueIn(convert(json, depthMax, tally));
}

/** What a container keeps for `json`; counts the names of all members into `tally`. */
export function convert(json: unknown, depthMax: number, tally: Tally): Slot {
  switch (typeof json) {
    case 'string':
      return slotOf(checkText(json));
    case 'number':
      if (!Number.isFinite(json)) throw jsonError('number', 'a number is beyond those of doubles');
      return json === 0 ? 0 : json; // No -0: canonical JSON cannot say it.
    case 'boolean':
      return json;
    case 'object':
      if (json === null) return null;
      if (depthMax <= 0) throw jsonError('depth', 'the JSON is nested too deep');
      if (Array.isArray(json)) return convertArray(json, depthMax - 1, tally);
      return convertObject(json, depthMax - 1, tally);
    default:
      throw jsonError('type', `JSON has no ${typeof json}`);
  }
}

/** `text`, if it is well-formed; throws INVALID_ARGUMENT where it holds a lone surrogate. */
export function checkText(text: string): string {
  if (!text.isWellFormed()) throw jsonError('surrogate', 'a string holds a lone surrogate');
  return text;
}

/** The error of text or JavaScript that is no value. */
export function jsonError(problem: JsonProblem, message: string, cause?: unknown): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message, { details: { problem }, cause });
}

function convertArray(json: readonly unknown[], depthMax: number, tally: Tally): ArrayValue {
  if (json.length === 0) return EMPTY_ARRAY;
  if (json.length <= LEAF_MAX) {
    const items = json.slice() as Slot[];
    for (let i = 0; i < items.length; i++) items[i] = convert(json[i], depthMax, tally);
    return arrayLeaf(items);
  }
  const builder = new ArrayBuilder();
  for (const element of json) builder.append(convert(element, depthMax, tally));
  return builder.finish();
}

function convertObject(json: object, depthMax: number, tally: Tally): ObjectValue {
  const prototype = Object.getPrototypeOf(json);
  if (prototype !== Object.prototype && prototype !== null) {
    throw jsonError('type', 'JSON has no class instances: convert it to a plain object first');
  }
  const keys = sortedKeys(json, tally);
  tally.names += keys.length;
  if (keys.length === 0) return EMPTY_OBJECT;
  const members = json as Readonly<Record<string, unknown>>;
  if (keys.length <= LEAF_MAX) {
    return flatObject(
      keys,
      keys.map((key) => convert(members[key], depthMax, tally)),
    );
  }
  const builder = new ObjectBuilder();
  for (const key of keys) builder.append(key, convert(members[key], depthMax, tally));
  return builder.finish();
}

/** The names of `json`, sorted; objects alike share one list, which halves what they take. */
function sortedKeys(json: object, tally: Tally): readonly string[] {
  const keys = Object.keys(json);
  let sorted = true;
  for (let i = 1; i < keys.length && sorted; i++) sorted = keys[i - 1]! < keys[i]!;
  if (!sorted) keys.sort();
  if (keys.length > LEAF_MAX) {
    for (const key of keys) checkText(key);
    return keys;
  }
  const recent = tally.recent[keys.length];
  if (recent?.every((key, i) => key === keys[i])) return recent;
  for (const key of keys) checkText(key);
  tally.recent[keys.length] = keys;
  return keys;
}

function plain(slot: Slot): Json {
  if (typeof slot !== 'object' || slot === null) return slot;
  if (slot.kind === 'text') return slot.text;
  if (isArray(slot)) {
    const elements: Json[] = [];
    addElements(slot, elements);
    return elements;
  }
  const members: Record<string, Json> = {};
  addMembers(slot, members);
  return members;
}

function addElements(node: ArrayValue, into: Json[]): void {
  for (const item of node.items) {
    if (node.height > 0) addElements(item as ArrayValue, into);
    else into.push(plain(item));
  }
}

function addMembers(node: Child, into: Record<string, Json>): void {
  const names = heightOf(node) === 0 ? listNames(namesIn(node)) : undefined;
  for (const [i, item] of itemsIn(node).entries()) {
    if (names === undefined) {
      addMembers(item as Child, into);
      continue;
    }
    const key = names[i]!;
    if (key === '__proto__') define(into, key, plain(item));
    else into[key] = plain(item);
  }
}

/** Assigning to `__proto__` would set the prototype; defining it makes a member. */
function define(into: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(into, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
