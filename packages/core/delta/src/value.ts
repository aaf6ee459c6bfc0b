// The values documents are made of: immutable JSON. A container is the root node of a balanced tree whose
// nodes never change, so two states share all that is equal between them. Every node caches what it holds
// (count, canonical bytes, depth, state hash), so that these cost nothing to ask and a path to maintain.
// Invariants: no lone surrogate, no non-finite number, no -0; the tests' `checkTree` states the rest.

import type { Names } from './names.js';

/** An immutable JSON value. Containers are opaque: read them with the functions of this package. */
export type Value = Scalar | ObjectValue | ArrayValue;

/** A value without parts. */
export type Scalar = null | boolean | number | string;

/** The kinds of JSON values (RFC 8259 §3, with both literals of a boolean as one). */
export type ValueKind = 'null' | 'boolean' | 'number' | 'string' | 'object' | 'array';

/** What a node caches of the members or elements below it. */
export interface Held {
  /** Members or elements, not counting those of nested containers. */
  readonly count: number;
  /** Bytes of their canonical JSON, each with the one separator behind it. */
  readonly bytes: number;
  /** Nested containers on the deepest way down; 0 if there are only scalars. */
  readonly depth: number;
  /** The two lanes of the hash (hash.ts): of an object the sum, of an array the polynomial. */
  readonly a: number;
  readonly b: number;
}

/** An object: a B+-tree sorted by the UTF-16 code units of the names (the order of RFC 8785 §3.2.3). */
export interface ObjectValue extends Held {
  readonly kind: 'object';
  /** 0: a leaf, `items` are the values of `keys`. Above: `items` are the children, of `height - 1`. */
  readonly height: number;
  /** In a leaf the names; above, for each child but the first, a lower bound of the names in it. */
  readonly keys: Names;
  readonly items: readonly Slot[];
}

/** What a branch of an object keeps for a child: a node, or a leaf as one text. */
export type Child = ObjectValue | LeafText;

/** A leaf of an object as one text (leaf-text.ts); a child of a branch only. */
export type LeafText = string;

/** An array: a counted B+-tree. */
export interface ArrayValue extends Held {
  readonly kind: 'array';
  /** 0: a leaf, `items` are the elements. Above: `items` are nodes of `height - 1`. */
  readonly height: number;
  /** Above leaves: for each child, how many elements it and those before it hold. Empty in a leaf. */
  readonly ends: readonly number[];
  readonly items: readonly Slot[];
}

/** A string of more than TEXT_UNITS_MAX units, as containers keep it: measured once. */
export interface LongText {
  readonly kind: 'text';
  readonly text: string;
  /** Bytes of its canonical JSON, quotes included. */
  readonly bytes: number;
  readonly a: number;
  readonly b: number;
}

/** What a container keeps for a value: the value itself, or a long string with its measure. */
export type Slot = Value | LongText;

export type Container = ObjectValue | ArrayValue;

/** The kind of `value`. */
export function kind(value: Value): ValueKind {
  if (value === null) return 'null';
  return typeof value === 'object' ? value.kind : (typeof value as 'boolean' | 'number' | 'string');
}

/** Members of an object or elements of an array, in O(1). */
export function count(container: Container): number {
  return container.count;
}

/** Whether `value` is an object. */
export function isObject(value: Slot): value is ObjectValue {
  return typeof value === 'object' && value !== null && value.kind === 'object';
}

/** Whether `value` is an array. */
export function isArray(value: Slot): value is ArrayValue {
  return typeof value === 'object' && value !== null && value.kind === 'array';
}

/** The value that `slot` keeps. */
export function valueIn(slot: Slot): Value {
  return typeof slot === 'object' && slot !== null && slot.kind === 'text' ? slot.text : slot;
}
