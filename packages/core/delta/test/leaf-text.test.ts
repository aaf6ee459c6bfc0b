import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  LEAF_UNITS_MAX,
  leafJson,
  leafText,
  measureLeaf,
  scalarAt,
  scalarsOf,
  withMember,
  withoutMember,
  withScalar,
  writeLeafText,
} from '../src/leaf-text.js';
import { makeMeasure, measureMember, NOTHING } from '../src/measure.js';
import { countNames, findName, listNames, nameAt } from '../src/names.js';
import { LEAF_MAX } from '../src/tree.js';
import type { Held, LeafText, Scalar } from '../src/value.js';

const plain = fc.string({
  unit: fc.constantFrom(...'abz019 ~}:,[{'),
  maxLength: 9,
});
const name = fc.oneof(plain, fc.constantFrom('aaaa', 'abba', 'baab', 'bbbb', 'cccc'));
const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 1e15, 999_999_999_999_999, -5e-324, 1e21, 2 ** 53),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
  plain,
  fc.constantFrom('true', 'null', '1', 'x'.repeat(13), 'y'.repeat(64)),
);
const members = fc
  .uniqueArray(fc.tuple(name, scalar), {
    selector: ([key]) => key,
    minLength: 2,
    maxLength: LEAF_MAX,
  })
  .map((list) => list.sort(([x], [y]) => (x < y ? -1 : 1)));

test('a leaf text holds what it was made of', () => {
  fc.assert(
    fc.property(members, (list) => {
      const { leaf } = made(list);
      if (leaf !== undefined) holds(leaf, list);
    }),
    { numRuns: 2000 },
  );
});

test('a changed leaf text holds what it should then', () => {
  fc.assert(
    fc.property(members, fc.nat(), name, scalar, (list, n, key, value) => {
      const { names, leaf } = made(list);
      if (leaf === undefined) return;
      const at = n % list.length;
      const replaced = list.with(at, [names[at]!, value]);
      const changed = withScalar(leaf, at, value, changeOf(list, replaced));
      assert.equal(changed, made(replaced).leaf);
      const rest = list.toSpliced(at, 1);
      holds(withoutMember(leaf, at, changeOf(list, rest)), rest);
      const place = findName(leaf, key);
      if (place >= 0) return;
      const more = list.toSpliced(~place, 0, [key, value]);
      const grown = withMember(leaf, ~place, key, value, changeOf(list, more));
      assert.equal(grown === undefined, made(more).leaf === undefined);
      if (grown !== undefined) holds(grown, more);
    }),
    { numRuns: 2000 },
  );
});

test('what is not plain, or long, makes no leaf text', () => {
  const leaf = leafText(['a', 'b'], [1, 2])!;
  for (const value of ['"', '\\', '\u007f', '\u001f', '\u0080', '\u20ac', 'x'.repeat(65)]) {
    assert.equal(leafText(['a'], [value]), undefined);
    assert.equal(withScalar(leaf, 1, value, NOTHING), undefined);
    assert.equal(withMember(leaf, 2, 'c', value, NOTHING), undefined);
    assert.equal(leafText([value === 'x'.repeat(65) ? '\n' : value], [1]), undefined);
    assert.equal(withMember(leaf, 2, value[0] === 'x' ? '\u00e9' : value, 1, NOTHING), undefined);
  }
  const names = Array.from({ length: 5 }, (_, i) => `${i}`.repeat(200));
  const longest = leafText(names, [1, 2, 3, 4, 5])!;
  assert.equal(longest.length, 3 + 5 * 200 + 5 + 5 + 8);
  assert.equal(withScalar(longest, 0, 1000, NOTHING)?.length, LEAF_UNITS_MAX);
  assert.equal(withScalar(longest, 0, 10_000, NOTHING), undefined);
  assert.equal(withMember(longest, 0, '', 1, NOTHING), undefined);
  assert.equal(leafText(['n'.repeat(300), 'o'.repeat(300)], [1, 2]), undefined);
});

/** Holds `leaf` against `list` in every way. */
function holds(leaf: LeafText, list: ReadonlyArray<readonly [string, Scalar]>): void {
  const names = list.map(([each]) => each);
  const scalars = list.map(([, each]) => each);
  assert.equal(countNames(leaf), list.length);
  assert.deepEqual(listNames(leaf), names);
  assert.deepEqual(scalarsOf(leaf), scalars);
  for (const [at, each] of names.entries()) {
    assert.equal(nameAt(leaf, at), each);
    assert.equal(findName(leaf, each), at);
    assert.equal(scalarAt(leaf, at), scalars[at]);
  }
  const json = leafJson(leaf);
  assert.deepEqual(JSON.parse(`{${json}}`), Object.fromEntries(list));
  const into = new Uint8Array(3000);
  const end = writeLeafText(leaf, into, 7);
  assert.equal(Buffer.from(into.subarray(7, end)).toString(), `${json},`);
  const held = makeMeasure();
  measureLeaf(leaf, held);
  assert.deepEqual(held, sumOf(list));
  assert.equal(held.bytes, end - 7);
}

interface Made {
  readonly names: readonly string[];
  readonly scalars: readonly Scalar[];
  readonly leaf: string | undefined;
}

function made(list: ReadonlyArray<readonly [string, Scalar]>): Made {
  const names = list.map(([each]) => each);
  const scalars = list.map(([, each]) => each);
  return { names, scalars, leaf: leafText(names, scalars) };
}

function sumOf(list: ReadonlyArray<readonly [string, Scalar]>): Held {
  const sum = { ...NOTHING };
  const measure = makeMeasure();
  for (const [key, value] of list) {
    measureMember(key, value, measure);
    sum.count++;
    sum.bytes += measure.bytes;
    sum.a = (sum.a + measure.a) | 0;
    sum.b = (sum.b + measure.b) | 0;
  }
  return sum;
}

function changeOf(
  before: ReadonlyArray<readonly [string, Scalar]>,
  after: ReadonlyArray<readonly [string, Scalar]>,
): Held {
  const [old, now] = [sumOf(before), sumOf(after)];
  return { ...NOTHING, a: (now.a - old.a) | 0, b: (now.b - old.b) | 0 };
}
