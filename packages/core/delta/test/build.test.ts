import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError } from '@deltabase/base';
import fc from 'fast-check';
import { arrayLeaf } from '../src/array-node.js';
import { ArrayBuilder, ObjectBuilder } from '../src/build.js';
import { EMPTY_OBJECT, flatObject, objectLeaf } from '../src/object-node.js';
import { elementsOf, membersOf } from '../src/read.js';
import { LEAF_MAX } from '../src/tree.js';
import type { Value } from '../src/value.js';
import { checkTree, formsOf } from './check-tree.js';

const SIZES = [
  ...Array(150).keys(),
  31,
  40,
  1000,
  1023,
  1024,
  1025,
  1300,
  2000,
  2047,
  2048,
  2049,
  2303,
  2304,
  5000,
];

test('objects of every size are built within bounds', () => {
  for (const size of SIZES) {
    const builder = new ObjectBuilder();
    const members = Array.from(
      { length: size },
      (_, i) => [`k${String(i).padStart(5, '0')}`, i] as const,
    );
    for (const [key, value] of members) builder.append(key, value);
    const object = builder.finish();
    checkTree(object);
    assert.deepEqual([...membersOf(object)], members);
  }
});

test('arrays of every size are built within bounds', () => {
  for (const size of SIZES) {
    const builder = new ArrayBuilder();
    const elements = Array.from({ length: size }, (_, i) => i);
    for (const element of elements) builder.append(element);
    assert.equal(builder.count, size);
    const array = builder.finish();
    checkTree(array);
    assert.deepEqual([...elementsOf(array)], elements);
  }
});

test('leaves of other containers and what stands between them are built within bounds', () => {
  const runs = fc.array(
    fc.record({
      leaf: fc.constantFrom('text', 'packed', 'listed', undefined),
      length: fc.integer({ min: 1, max: 40 }),
    }),
    {
      maxLength: 120,
    },
  );
  fc.assert(
    fc.property(runs, (all) => {
      const object = new ObjectBuilder();
      const array = new ArrayBuilder();
      const members: [string, Value][] = [];
      for (const { leaf, length } of all) {
        const some = Array.from({ length }, (_, i): [string, Value] => {
          const n = members.length + i;
          return [`k${String(n).padStart(5, '0')}`, leaf === 'packed' ? EMPTY_OBJECT : n];
        });
        members.push(...some);
        if (leaf !== undefined && length <= LEAF_MAX) {
          const make = leaf === 'listed' ? flatObject : objectLeaf;
          const keys = some.map(([key]) => key);
          object.appendLeaf(
            make(
              keys,
              some.map(([, value]) => value),
            ),
          );
          array.appendLeaf(arrayLeaf(some.map(([, value]) => value)));
        } else {
          for (const [key, value] of some) {
            object.append(key, value);
            array.append(value);
          }
        }
        assert.equal(object.last, members.at(-1)![0]);
        assert.equal(array.count, members.length);
      }
      const [built, list] = [object.finish(), array.finish()];
      checkTree(built);
      checkTree(list);
      assert.deepEqual([...membersOf(built)], members);
      assert.deepEqual(
        [...elementsOf(list)],
        members.map(([, value]) => value),
      );
    }),
    { numRuns: 150 },
  );
});

test('leaves of a large object are texts where they can be, and those that are one node lists', () => {
  const keys = [...'abcdefghij'];
  for (const [count, value, form] of [
    [1, 'x', 'listed'],
    [9, 'x', 'text'],
    [9, EMPTY_OBJECT, 'packed'],
  ] as const) {
    const builder = new ObjectBuilder();
    for (let at = 0; at < count; at++) {
      builder.appendLeaf(
        flatObject(
          keys.map((key) => `${at}${key}`),
          keys.map(() => value),
        ),
      );
    }
    assert.deepEqual([...formsOf(builder.finish())], [form]);
  }
});

test('members out of order are a bug', () => {
  const builder = new ObjectBuilder();
  builder.append('b', 1);
  assert.equal(builder.last, 'b');
  assert.throws(() => builder.append('b', 2), AssertionError);
  assert.throws(() => builder.append('a', 2), AssertionError);
  const leaf = objectLeaf([...'bcdefghi'], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.throws(() => builder.appendLeaf(leaf), AssertionError);
  const full = new ObjectBuilder();
  full.appendLeaf(leaf);
  assert.throws(() => full.appendLeaf(leaf), AssertionError);
  assert.throws(() => full.append('i', 2), AssertionError);
});
