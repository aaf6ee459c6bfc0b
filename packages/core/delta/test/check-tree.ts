// Checks a value against everything that value.ts and tree.ts promise about its nodes, computing anew what
// they cache. Used by tests only; it walks the whole value.

import assert from 'node:assert/strict';
import { canonicalBytes } from '../src/canonical.js';
import { heightOf, heldIn, itemsIn, nameIn, namesIn, widthOf } from '../src/child.js';
import { toJson } from '../src/json.js';
import { LEAF_UNITS_MAX, scalarAt } from '../src/leaf-text.js';
import { hashText, makeMeasure, measureMember } from '../src/measure.js';
import { countNames, listNames, nameAt } from '../src/names.js';
import { leavesOf } from '../src/read.js';
import { mostAt, NODE_MIN } from '../src/tree.js';
import {
  type ArrayValue,
  type Child,
  isArray,
  isObject,
  type LeafText,
  type ObjectValue,
  type Slot,
  type Value,
} from '../src/value.js';
import { referenceHash } from './reference-hash.js';

/** Fails unless `value` keeps every invariant of its trees and caches. */
export function checkTree(value: Value): void {
  checkSlot(value);
  assert.equal(hashText(value), referenceHash(toJson(value)), 'the hash is that of the value');
  assert.deepEqual(JSON.parse(Buffer.from(canonicalBytes(value)).toString()), toJson(value));
}

/** In which forms the leaves of an object are: one text, or nodes whose names are packed or listed. */
export function formsOf(object: Value): Set<'text' | 'packed' | 'listed'> {
  return new Set(
    [...leavesOf(object as ObjectValue)].map((leaf) => {
      if (typeof leaf === 'string') return 'text';
      return leaf.kind === 'object' && typeof leaf.keys === 'string' ? 'packed' : 'listed';
    }),
  );
}

/** Checks the nodes of one slot; its canonical length. */
function checkSlot(slot: Slot): { readonly bytes: number; readonly depth: number } {
  if (typeof slot !== 'object' || slot === null) return { bytes: textBytes(slot), depth: 0 };
  if (slot.kind === 'text') {
    assert.equal(slot.bytes, textBytes(slot.text), 'a long text knows its bytes');
    return { bytes: slot.bytes, depth: 0 };
  }
  const facts = checkNode(slot, true, undefined, undefined);
  return { bytes: 2 + Math.max(0, facts.bytes - 1), depth: facts.depth + 1 };
}

interface Facts {
  readonly count: number;
  readonly bytes: number;
  readonly depth: number;
}

function checkNode(
  node: ArrayValue | Child,
  isRoot: boolean,
  from: string | undefined,
  to: string | undefined,
): Facts {
  const length = widthOf(node);
  assert.ok(length <= mostAt(heightOf(node)), 'no node is overfull');
  if (!isRoot) assert.ok(length >= NODE_MIN, 'no node but a root is underfull');
  if (isRoot && heightOf(node) > 0) assert.ok(length >= 2, 'a root above leaves has children');
  const isLeaf = typeof node === 'string' || node.height === 0;
  const facts = isLeaf ? leafFacts(node, from, to) : branchFacts(node, from, to);
  const { count, bytes, depth, a, b } = heldIn(node);
  assert.deepEqual({ count, bytes, depth }, facts, 'a node caches what it holds');
  if (typeof node === 'string') checkText(node, a, b);
  return facts;
}

function leafFacts(
  node: ArrayValue | Child,
  from: string | undefined,
  to: string | undefined,
): Facts {
  let bytes = 0;
  let depth = 0;
  for (const [i, item] of itemsIn(node).entries()) {
    const facts = checkSlot(item);
    bytes += facts.bytes + 1;
    depth = Math.max(depth, facts.depth);
    const key = nameIn(node, i);
    if (key === undefined) continue;
    bytes += textBytes(key) + 1;
    if (i > 0) assert.ok(nameIn(node, i - 1)! < key, 'names ascend');
    if (from !== undefined) assert.ok(from <= key, 'a name is not before its bound');
    if (to !== undefined) assert.ok(key < to, 'a name is before the next bound');
  }
  const count = itemsIn(node).length;
  if (typeof node !== 'string' && isArray(node)) {
    assert.equal(node.ends.length, 0, 'a leaf has no ends');
  } else {
    assert.equal(countNames(namesIn(node)), count, 'a leaf has a name for each value');
  }
  return { count, bytes, depth };
}

/** Checks what only leaves have that are one text, with the lanes `a` and `b` that it says. */
function checkText(leaf: LeafText, a: number, b: number): void {
  assert.ok(leaf.length <= LEAF_UNITS_MAX, 'a leaf that is a text is short');
  for (const unit of leaf) assert.ok(unit.charCodeAt(0) <= 0xff, 'its units take a byte each');
  const measure = makeMeasure();
  const sum = { a: 0, b: 0 };
  for (const [i, item] of itemsIn(leaf).entries()) {
    measureMember(nameAt(leaf, i), item, measure);
    sum.a = (sum.a + measure.a) | 0;
    sum.b = (sum.b + measure.b) | 0;
    assert.equal(scalarAt(leaf, i), item, 'a value by itself is that of the list');
  }
  assert.deepEqual({ a, b }, sum, 'a leaf that is a text knows its hash');
}

function branchFacts(
  node: ArrayValue | ObjectValue,
  from: string | undefined,
  to: string | undefined,
): Facts {
  let count = 0;
  let bytes = 0;
  let depth = 0;
  node.items.forEach((item, i) => {
    const child = item as ArrayValue | Child;
    assert.equal(heightOf(child), node.height - 1, 'all leaves are at one depth');
    const names = isObject(node) ? listNames(node.keys) : [];
    const bounds = isObject(node)
      ? [i === 0 ? from : names[i], names[i + 1] ?? to]
      : [undefined, undefined];
    if (typeof child !== 'string') {
      assert.equal(child.kind, node.kind, 'children are of the same kind');
      if (isObject(node) && isObject(child) && i > 0 && child.height > 0) {
        assert.equal(nameAt(child.keys, 0), names[i], 'a branch repeats its bound');
      }
    }
    const facts = checkNode(child, false, bounds[0], bounds[1]);
    count += facts.count;
    bytes += facts.bytes;
    depth = Math.max(depth, facts.depth);
    if (isArray(node)) assert.equal(node.ends[i], count, 'ends count the elements up to a child');
  });
  return { count, bytes, depth };
}

function textBytes(json: unknown): number {
  return Buffer.byteLength(JSON.stringify(json));
}
