import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError } from '@deltabase/base';
import { ArrayBuilder, ObjectBuilder } from '../src/build.js';
import { elementsOf, membersOf } from '../src/read.js';
import { checkTree } from './check-tree.js';

const SIZES = [...Array(150).keys(), 31, 40, 1000, 1023, 1024, 1025, 1300, 2000, 5000];

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

test('members out of order are a bug', () => {
  const builder = new ObjectBuilder();
  builder.append('b', 1);
  assert.equal(builder.last, 'b');
  assert.throws(() => builder.append('b', 2), AssertionError);
  assert.throws(() => builder.append('a', 2), AssertionError);
});
