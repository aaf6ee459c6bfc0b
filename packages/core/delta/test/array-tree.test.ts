import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import { EMPTY_ARRAY } from '../src/array-node.js';
import { arrayGet, arrayInsert, arrayRemove, arraySet } from '../src/array-tree.js';
import { fromJson } from '../src/json.js';
import { hashText } from '../src/measure.js';
import type { ArrayValue, Slot } from '../src/value.js';
import { checkTree } from './check-tree.js';

type Position = (length: number, random: number) => number;

const ORDERS: Readonly<Record<string, Position>> = {
  'at the end': (length) => length,
  'at the front': () => 0,
  'at both ends': (length, random) => (random % 2 ? length : 0),
  'in the middle': (length) => length >> 1,
  'at one place near the front': (length) => Math.min(length, 40),
  anywhere: (length, random) => random % (length + 1),
};

for (const [order, position] of Object.entries(ORDERS)) {
  test(`an array filled and emptied ${order} keeps its invariants`, () => {
    const random = makePrng(3);
    const model: number[] = [];
    let array: ArrayValue = EMPTY_ARRAY;
    for (let step = 0; step < 3000; step++) {
      const at = position(model.length, random.next());
      model.splice(at, 0, step);
      array = arrayInsert(array, at, step);
      if (step % 300 === 0) agree(array, model);
    }
    agree(array, model);
    while (model.length > 0) {
      const at = Math.min(model.length - 1, position(model.length - 1, random.next()));
      model.splice(at, 1);
      array = arrayRemove(array, at);
      if (model.length % 300 === 0) agree(array, model);
    }
    assert.equal(array.height, 0, 'an empty array is one leaf');
  });
}

test('an array under random changes around the size of a node keeps its invariants', () => {
  const random = makePrng(4);
  const model: (number | string)[] = [];
  let array: ArrayValue = EMPTY_ARRAY;
  for (let step = 0; step < 6000; step++) {
    const grow = random.below(100) < (model.length < 70 ? 60 : 40);
    if (grow) {
      const at = random.below(model.length + 1);
      model.splice(at, 0, step);
      array = arrayInsert(array, at, step);
    } else if (model.length > 0) {
      const at = random.below(model.length);
      model.splice(at, 1);
      array = arrayRemove(array, at);
    }
    if (model.length > 0) {
      const at = random.below(model.length);
      model[at] = `s${step}`;
      array = arraySet(array, at, `s${step}`);
    }
    if (step % 20 === 0) agree(array, model);
  }
});

test('an older array is untouched by changes to a newer one', () => {
  const first = fromJson(Array.from({ length: 2000 }, (_, i) => i)) as ArrayValue;
  const before = hashText(first);
  let array = first;
  for (let i = 0; i < 500; i++) array = arrayRemove(array, i);
  for (let i = 0; i < 500; i++) array = arrayInsert(array, i * 2, 'x');
  checkTree(first);
  assert.equal(hashText(first), before);
});

test('depth follows the deepest element, down as well as up', () => {
  let array = fromJson(Array.from({ length: 500 }, (_, i) => i)) as ArrayValue;
  array = arrayInsert(array, 250, fromJson([[[[]]]]) as Slot);
  array = arraySet(array, 400, fromJson({ a: {} }) as Slot);
  checkTree(array);
  array = arrayRemove(array, 250);
  checkTree(array);
  array = arraySet(array, 399, 1);
  checkTree(array);
});

/** Holds `array` against `model` in every way. */
function agree(array: ArrayValue, model: readonly (number | string)[]): void {
  checkTree(array);
  assert.equal(array.count, model.length);
  for (let i = 0; i < model.length; i += 1 + (model.length >> 6)) {
    assert.equal(arrayGet(array, i), model[i]);
  }
  assert.equal(hashText(array), hashText(fromJson(model)), 'the hash does not depend on history');
}
