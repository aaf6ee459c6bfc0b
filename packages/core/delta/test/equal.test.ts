import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { arrayInsert, arrayRemove } from '../src/array-tree.js';
import { slotsEqual, valuesEqual } from '../src/equal.js';
import { fromJson, toJson } from '../src/json.js';
import { slotOf } from '../src/measure.js';
import { objectRemove, objectSet } from '../src/object-tree.js';
import type { ArrayValue, ObjectValue, Value } from '../src/value.js';
import { json, wideJson } from './arbitraries.js';

test('values are equal where their JSON is', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      const [x, y] = [fromJson(a), fromJson(b)];
      assert.equal(valuesEqual(x, y), isDeepStrictEqual(toJson(x), toJson(y)));
      assert.ok(valuesEqual(x, fromJson(JSON.parse(JSON.stringify(a)))));
    }),
    { numRuns: 400 },
  );
});

test('wide values are equal to copies and not to changed copies', () => {
  fc.assert(
    fc.property(wideJson, (value) => {
      const [x, y] = [fromJson(value), fromJson(value)];
      assert.ok(valuesEqual(x, y));
      assert.ok(!valuesEqual(fromJson([value, 1]), fromJson([value, 2])));
    }),
  );
});

test('the shape of a tree does not count', () => {
  const plain = Array.from({ length: 3000 }, (_, i) => i);
  let array = fromJson([-1, ...plain.slice(0, 1500)]) as ArrayValue;
  for (const element of plain.slice(1500)) array = arrayInsert(array, array.count, element);
  array = arrayRemove(array, 0);
  assert.ok(valuesEqual(array, fromJson(plain)));
  const members = Object.fromEntries(plain.map((i) => [`k${i}`, i]));
  let object = fromJson({ ...members, x: 1 }) as ObjectValue;
  for (let i = 0; i < 3000; i += 2) object = objectRemove(object, `k${i}`);
  for (let i = 0; i < 3000; i += 2) object = objectSet(object, `k${i}`, i);
  object = objectRemove(object, 'x');
  assert.ok(valuesEqual(object, fromJson(members)));
  assert.ok(valuesEqual(fromJson(members), object));
});

test('equal hashes alone make nothing equal', () => {
  const array = fromJson([1, 2]) as ArrayValue;
  const forgedArray: Value = { ...array, items: [1, 3] };
  assert.ok(!valuesEqual(array, forgedArray));
  const object = fromJson({ a: 1 }) as ObjectValue;
  assert.ok(!valuesEqual(object, { ...object, items: [2] }));
  assert.ok(!valuesEqual(object, { ...object, keys: ['b'] }));
  const long = slotOf('x'.repeat(100));
  assert.ok(!slotsEqual(long, { ...(long as object), text: 'y'.repeat(100) } as typeof long));
});

test('a long string equals itself however it is kept', () => {
  const text = 'x'.repeat(100);
  assert.ok(slotsEqual(slotOf(text), text));
  assert.ok(slotsEqual(text, slotOf(text)));
  assert.ok(slotsEqual(slotOf(text), slotOf(text)));
  assert.ok(!slotsEqual(slotOf(text), 'x'));
  assert.ok(!slotsEqual('x', slotOf(text)));
  assert.ok(!slotsEqual(slotOf(text), null));
  assert.ok(!slotsEqual(slotOf(text), fromJson([])));
});
