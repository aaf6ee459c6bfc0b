import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import fc from 'fast-check';
import { arrayInsert, arrayRemove, arraySet } from '../src/array-tree.js';
import { fromJson, type Json, toJson } from '../src/json.js';
import { hashText } from '../src/measure.js';
import { objectRemove, objectSet } from '../src/object-tree.js';
import { type ArrayValue, isArray, isObject, type Value } from '../src/value.js';
import { wideJson } from './arbitraries.js';
import { referenceHash } from './reference-hash.js';

/** If one of these changes, copies made by different versions can no longer be compared: bump the format. */
const GOLDEN: readonly (readonly [Json, string])[] = [
  [null, '11fd02eb9b518c6d'],
  [false, 'bb2aafdeec8ef3e2'],
  [true, '0dd6b1d316d35a46'],
  [0, '451bc902959fb0d9'],
  [1, 'e09dd6dfe1404971'],
  [-1, 'c1f3c455a7df4d0a'],
  [0.1, '1d0da96db946d719'],
  [1e21, '222c4edd36db91d3'],
  ['', '8ef09b87bee8242d'],
  ['a', '017eb0da09292cac'],
  ['é😀', '3166cd5ea0f15e66'],
  ['x'.repeat(65), '56a5fb2156dadf77'],
  [[], '9bbae84c58042eda'],
  [{}, '0668129dfdfbc94a'],
  [[null], '855a7750630baf96'],
  [[1, 2, 3], 'f71792678c1d67da'],
  [{ a: 1 }, '18f7d8a593352765'],
  [{ b: [true, { c: 'd' }], a: -2.5 }, '4953cbdad55882f9'],
  [Array.from({ length: 100 }, (_, i) => i), '278c74f6056d5592'],
];

test('the hashes of known values are what they always were', () => {
  for (const [json, hash] of GOLDEN) assert.equal(hashText(fromJson(json)), hash);
});

test('the hash is the one that its description defines', () => {
  fc.assert(
    fc.property(wideJson, (json) => {
      assert.equal(hashText(fromJson(json)), referenceHash(json));
    }),
  );
});

test('values that resemble each other have different hashes', () => {
  const alike: Json[] = [
    ...[null, false, true, 0, 1, -1, '', '0', '1', 'null', 'true', 'false', '[]', '{}'],
    ...[[], {}, [null], [[]], [{}], [0], [1], [''], [false], [[], []], [[[]]], [[null]]],
    ...[[0, 1], [1, 0], ['0', 1], [[0], 1], [0, [1]], [[0, 1]], [[0], [1]], [0, 1, null]],
    ...[{ a: 1 }, { b: 1 }, { a: 2 }, { a: '1' }, { a: [1] }, { a: null }, { a: {} }, { '': 1 }],
    ...[{ a: 1, b: 2 }, { a: 2, b: 1 }, { a: { b: 2 } }, { a: { b: 1 } }, { b: { a: 1 } }],
    ...[['a', 1], [['a', 1]], ['a'], ['', 'a'], ['a', ''], ['', ''], ['a', 'a'], ['aa']],
    ...[{ a: 'b' }, { b: 'a' }, { ab: '' }, { '': 'ab' }, [{ a: 'b' }], 'ab', 'ba', '\0', '\0\0'],
    ...[2 ** 32, 2 ** 53, 0.5, 1.5, -0.5, 5e-324, 1e308, 4294967296.5],
  ];
  const hashes = new Map<string, Json>();
  for (const json of alike) {
    const hash = hashText(fromJson(json));
    assert.ok(!hashes.has(hash), `${JSON.stringify(json)} and ${JSON.stringify(hashes.get(hash))}`);
    hashes.set(hash, json);
  }
});

test('zero has one hash, whatever its sign', () => {
  assert.equal(hashText(-0), hashText(0));
  assert.equal(hashText(fromJson([-0])), hashText(fromJson([0])));
});

test('the order of members does not count, the order of elements does', () => {
  assert.equal(hashText(fromJson({ a: 1, b: [2] })), hashText(fromJson({ b: [2], a: 1 })));
  assert.notEqual(hashText(fromJson([1, 2])), hashText(fromJson([2, 1])));
});

test('sequences that cancel in every power of two have different hashes', () => {
  const morse = Array.from(
    { length: 4096 },
    (_, i) => i.toString(2).replaceAll('0', '').length % 2,
  );
  const opposite = morse.map((bit) => 1 - bit);
  assert.notEqual(hashText(fromJson(morse)), hashText(fromJson(opposite)));
});

test('a hundred thousand different small values have as many hashes, and each lane is spread', () => {
  const hashes = new Set<string>();
  const first = new Set<string>();
  const second = new Set<string>();
  const size = 100_000;
  for (let i = 0; i < size; i++) {
    const hash = hashText(fromJson(i % 2 ? { n: i } : [i, `${i}`]));
    hashes.add(hash);
    first.add(hash.slice(0, 8));
    second.add(hash.slice(8));
  }
  assert.equal(hashes.size, size);
  // By chance about size^2 / 2^33 = 1.2 of 32-bit lanes meet.
  assert.ok(first.size >= size - 12 && second.size >= size - 12);
});

test('hashes kept through changes are those of values built from scratch', () => {
  fc.assert(
    fc.property(wideJson, fc.nat(), (json, seed) => {
      const random = makePrng(seed);
      let value = fromJson(json);
      for (let step = 0; step < 20; step++) {
        value = changed(value, random.below(3), random.next());
        assert.equal(hashText(value), hashText(fromJson(toJson(value))));
      }
    }),
  );
});

/** `value` with one member or element set, added or removed. */
function changed(value: Value, how: number, random: number): Value {
  if (isObject(value)) {
    const key = `k${random % 250}`;
    return how === 0 ? objectRemove(value, key) : objectSet(value, key, random);
  }
  return isArray(value) ? changedArray(value, how, random) : value;
}

function changedArray(value: ArrayValue, how: number, random: number): Value {
  if (how === 0 || value.count === 0) return arrayInsert(value, random % (value.count + 1), 'new');
  const at = random % value.count;
  return how === 1 ? arrayRemove(value, at) : arraySet(value, at, random);
}
