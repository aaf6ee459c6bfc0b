// Checks a value against everything that value.ts and tree.ts promise about its nodes, computing anew what
// they cache. Used by tests only; it walks the whole value.

import assert from 'node:assert/strict';
import { canonicalBytes } from '../src/canonical.js';
import { toJson } from '../src/json.js';
import { hashText } from '../src/measure.js';
import { countNames, listNames, nameAt } from '../src/names.js';
import { NODE_MAX, NODE_MIN } from '../src/tree.js';
import {
  type ArrayValue,
  isArray,
  isObject,
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
  node: ObjectValue | ArrayValue,
  isRoot: boolean,
  from: string | undefined,
  to: string | undefined,
): Facts {
  const { length } = node.items;
  assert.ok(length <= NODE_MAX, 'no node is overfull');
  if (!isRoot) assert.ok(length >= NODE_MIN, 'no node but a root is underfull');
  if (isRoot && node.height > 0) assert.ok(length >= 2, 'a root above leaves has children');
  const facts = node.height === 0 ? leafFacts(node, from, to) : branchFacts(node, from, to);
  const { count, bytes, depth } = node;
  assert.deepEqual({ count, bytes, depth }, facts, 'a node caches what it holds');
  return facts;
}

function leafFacts(
  node: ObjectValue | ArrayValue,
  from: string | undefined,
  to: string | undefined,
): Facts {
  let bytes = 0;
  let depth = 0;
  node.items.forEach((item, i) => {
    const facts = checkSlot(item);
    bytes += facts.bytes + 1;
    depth = Math.max(depth, facts.depth);
    if (!isObject(node)) return;
    const key = nameAt(node.keys, i);
    bytes += textBytes(key) + 1;
    if (i > 0) assert.ok(nameAt(node.keys, i - 1) < key, 'names ascend');
    if (from !== undefined) assert.ok(from <= key, 'a name is not before its bound');
    if (to !== undefined) assert.ok(key < to, 'a name is before the next bound');
  });
  if (isArray(node)) assert.equal(node.ends.length, 0, 'a leaf has no ends');
  else assert.equal(countNames(node.keys), node.items.length, 'a leaf has a name for each value');
  return { count: node.items.length, bytes, depth };
}

function branchFacts(
  node: ObjectValue | ArrayValue,
  from: string | undefined,
  to: string | undefined,
): Facts {
  let count = 0;
  let bytes = 0;
  let depth = 0;
  node.items.forEach((item, i) => {
    const child = item as ObjectValue | ArrayValue;
    assert.equal(child.kind, node.kind, 'children are of the same kind');
    assert.equal(child.height, node.height - 1, 'all leaves are at one depth');
    const names = isObject(node) ? listNames(node.keys) : [];
    const bounds = isObject(node)
      ? [i === 0 ? from : names[i], names[i + 1] ?? to]
      : [undefined, undefined];
    if (isObject(node) && isObject(child) && i > 0 && child.height > 0) {
      assert.equal(nameAt(child.keys, 0), names[i], 'a branch repeats its bound');
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
