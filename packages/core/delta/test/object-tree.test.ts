import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { makePrng } from '@deltabase/base';
import { fromJson, toJson } from '../src/json.js';
import { hashText, slotOf } from '../src/measure.js';
import { EMPTY_OBJECT } from '../src/object-node.js';
import { objectGet, objectRemove, objectSet } from '../src/object-tree.js';
import { memberOf } from '../src/read.js';
import type { ObjectValue, Value } from '../src/value.js';
import { checkTree, formsOf } from './check-tree.js';

type Key = (step: number, random: number) => string;

/** Orders of keys that push a tree to one side, tear it at one place, or shuffle it. */
const ORDERS: Readonly<Record<string, Key>> = {
  ascending: (step) => `k${String(step).padStart(6, '0')}`,
  descending: (step) => `k${String(999_999 - step).padStart(6, '0')}`,
  'from both ends': (step) => `k${String(step % 2 ? 999_999 - step : step).padStart(6, '0')}`,
  'towards the middle': (step) =>
    `k${String(500_000 + (step % 2 ? step : -step)).padStart(6, '0')}`,
  random: (_, random) => `k${random % 5000}`,
};

for (const [order, key] of Object.entries(ORDERS)) {
  test(`an object filled ${order} and emptied in random order keeps its invariants`, () => {
    const random = makePrng(7);
    const model = new Map<string, number>();
    let object: ObjectValue = EMPTY_OBJECT;
    for (let step = 0; step < 3000; step++) {
      const name = key(step, random.next());
      model.set(name, step);
      object = objectSet(object, name, step);
      if (step % 300 === 0) agree(object, model);
    }
    agree(object, model);
    const names = [...model.keys()];
    while (names.length > 0) {
      const at = random.below(names.length);
      const name = names[at]!;
      names[at] = names.at(-1)!;
      names.pop();
      model.delete(name);
      object = objectRemove(object, name);
      if (names.length % 300 === 0) agree(object, model);
    }
    assert.equal(object.height, 0, 'an empty object is one leaf');
  });

  test(`an object filled ${order} and emptied from the front keeps its invariants`, () => {
    const random = makePrng(8);
    const model = new Map<string, number>();
    let object: ObjectValue = EMPTY_OBJECT;
    for (let step = 0; step < 2000; step++) {
      const name = key(step, random.next());
      model.set(name, step);
      object = objectSet(object, name, step);
    }
    for (const name of [...model.keys()].sort()) {
      model.delete(name);
      object = objectRemove(object, name);
      if (model.size % 200 === 0) agree(object, model);
    }
  });
}

test('an object under random changes around the size of a node keeps its invariants', () => {
  const random = makePrng(9);
  const model = new Map<string, number>();
  let object: ObjectValue = EMPTY_OBJECT;
  for (let step = 0; step < 6000; step++) {
    const name = `k${random.below(90)}`;
    if (random.below(2) === 0) {
      model.set(name, step);
      object = objectSet(object, name, step);
    } else {
      const before = object;
      object = objectRemove(object, name);
      if (!model.delete(name)) assert.equal(object, before, 'removing nothing changes nothing');
    }
    if (step % 20 === 0) agree(object, model);
  }
});

test('an older object is untouched by changes to a newer one', () => {
  const first = fromJson(Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`k${i}`, i])));
  const before = hashText(first);
  let object = first as ObjectValue;
  for (let i = 0; i < 2000; i += 3) object = objectRemove(object, `k${i}`);
  for (let i = 0; i < 2000; i += 2) object = objectSet(object, `k${i}`, 'other');
  checkTree(first);
  assert.equal(hashText(first), before);
});

test('depth follows the deepest member, down as well as up', () => {
  let object: ObjectValue = EMPTY_OBJECT;
  for (let i = 0; i < 500; i++) object = objectSet(object, `k${i}`, i);
  const deep = fromJson([[[[]]]]) as ObjectValue;
  object = objectSet(object, 'k250', deep);
  object = objectSet(object, 'k400', fromJson([[]]) as ObjectValue);
  checkTree(object);
  object = objectSet(object, 'k250', 0);
  checkTree(object);
  object = objectRemove(object, 'k400');
  checkTree(object);
});

test('setting what is there already returns the same object', () => {
  const object = fromJson({ a: 1, b: 'x' }) as ObjectValue;
  assert.equal(objectSet(object, 'a', 1), object);
});

test('leaves of a large object are texts while they are plain, nodes from then on, texts when they are made anew', () => {
  const names = Array.from({ length: 100 }, (_, i) => `k${i + 100}`);
  const large = fromJson(Object.fromEntries(names.map((each, i) => [each, i]))) as ObjectValue;
  assert.deepEqual([...formsOf(large)], ['text']);
  for (const value of [null, true, false, -1.5e-7, 'x'.repeat(64)]) {
    const changed = objectSet(large, 'k150', value);
    assert.deepEqual([...formsOf(changed)], ['text']);
    assert.equal(objectGet(changed, 'k150'), value);
    checkTree(changed);
  }
  assert.deepEqual([...formsOf(objectSet(large, 'k1505', 1))], ['text']);
  assert.deepEqual([...formsOf(objectSet(large, 'k15', 1))], ['text']);
  assert.deepEqual([...formsOf(objectRemove(large, 'k150'))], ['text']);
  for (const value of ['"', '\u00e4', fromJson('x'.repeat(65)), EMPTY_OBJECT]) {
    const mixed = objectSet(large, 'k150', slotOf(value));
    assert.deepEqual([...formsOf(mixed)].sort(), ['packed', 'text']);
    assert.deepEqual([...formsOf(objectSet(mixed, 'k150', 0))].sort(), ['packed', 'text']);
    assert.deepEqual([...formsOf(fromJson(toJson(objectSet(mixed, 'k150', 0))))], ['text']);
    checkTree(mixed);
  }
  assert.deepEqual([...formsOf(objectSet(large, 'k\n', 0))].sort(), ['packed', 'text']);
  assert.deepEqual([...formsOf(fromJson({ a: 1, b: 2 }))], ['listed']);
});

test('a leaf that would be a long text is a node', () => {
  let object: ObjectValue = EMPTY_OBJECT;
  for (let i = 0; i < 64; i++) object = objectSet(object, `k${i + 10}`, 'x'.repeat(64));
  assert.deepEqual([...formsOf(object)].sort(), ['listed', 'packed']);
  for (let i = 0; i < 64; i++) object = objectSet(object, `k${i + 10}`, 0);
  checkTree(object);
  const texts = fromJson(toJson(object)) as ObjectValue;
  let grown = texts;
  for (let i = 0; i < 64; i++) grown = objectSet(grown, `k${i + 10}`, 'x'.repeat(64));
  assert.deepEqual([...formsOf(texts)], ['text']);
  assert.deepEqual([...formsOf(grown)], ['packed']);
  checkTree(grown);
});

test('an object of leaves in both forms, under random changes, keeps its invariants', () => {
  const random = makePrng(10);
  const values: readonly Value[] = [
    1,
    'x',
    null,
    'x'.repeat(70),
    EMPTY_OBJECT,
    '\u00e4',
    2,
    3,
    4,
    5,
  ];
  const model = new Map<string, Value>();
  let object: ObjectValue = EMPTY_OBJECT;
  for (let step = 0; step < 6000; step++) {
    const name = `k${random.below(400)}`;
    if (random.below(3) > 0) {
      const value = values[random.below(random.below(400) === 0 ? values.length : 3)]!;
      model.set(name, value);
      object = objectSet(object, name, slotOf(value));
    } else {
      model.delete(name);
      object = objectRemove(object, name);
    }
    if (step % 100 === 0) agree(object, model);
  }
  assert.deepEqual([...formsOf(object)].sort(), ['listed', 'text']);
});

test('names too long to be packed are kept as they are', () => {
  const long = (i: number): string => String(i).padStart(1000, '0');
  const model = new Map<string, number>();
  let object: ObjectValue = EMPTY_OBJECT;
  for (let i = 0; i < 300; i++) {
    model.set(long(i * 7), i);
    object = objectSet(object, long(i * 7), i);
  }
  agree(object, model);
  assert.deepEqual([...formsOf(object)], ['listed']);
});

test('names and values keep no other text in memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const part = (text: string): string => {
    const long = `${'x'.repeat(500_000)}${text}`;
    long.charCodeAt(0);
    return long.slice(500_000);
  };
  const before = used();
  for (const value of [0, EMPTY_OBJECT] as const) {
    let object: ObjectValue = EMPTY_OBJECT;
    for (let i = 0; i < 200; i++) object = objectSet(object, part(`member number ${i}`), value);
    for (let i = 0; i < 20; i++) object = objectSet(object, part(`member number ${i * 9}`), i);
    assert.equal(object.count, 200);
    assert.ok(used() - before < 5_000_000, 'a small part of what names were cut out of');
    assert.equal(objectGet(object, 'member number 9'), 1);
  }
});

/** Holds `object` against `model` in every way. */
function agree(object: ObjectValue, model: ReadonlyMap<string, Value>): void {
  checkTree(object);
  assert.equal(object.count, model.size);
  for (const [name, value] of model) assert.equal(memberOf(object, name), value);
  const rebuilt = fromJson(
    Object.fromEntries([...model].map(([name, value]) => [name, toJson(value)])),
  );
  assert.equal(hashText(object), hashText(rebuilt), 'the hash does not depend on history');
}
