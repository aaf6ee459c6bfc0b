import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  childFor,
  countNames,
  findName,
  listNames,
  nameAt,
  ownName,
  PACKED_UNITS_MAX,
  packNames,
} from '../src/names.js';
import { LEAF_MAX } from '../src/tree.js';
import { name } from './arbitraries.js';

/** Names of any kind, much alike, and all of one length: each is packed in its own way. */
const anyName = fc.oneof(
  name,
  fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 }),
  fc.string({
    unit: fc.constantFrom('0', '1', '9', '\u00ff', '\u0100'),
    minLength: 3,
    maxLength: 3,
  }),
);
const ascending = fc
  .uniqueArray(anyName, { maxLength: LEAF_MAX + 1 })
  .map((names) => names.sort((x, y) => (x < y ? -1 : 1)));
const alike = fc
  .uniqueArray(fc.integer({ min: 0, max: 99_999 }), { maxLength: LEAF_MAX + 1 })
  .map((numbers) => numbers.map((n) => `k${String(n).padStart(5, '0')}`).sort());
const names = fc.oneof(ascending, alike);

test('packed names are those that were listed', () => {
  fc.assert(
    fc.property(names, (list) => {
      const packed = packNames(list);
      assert.equal(typeof packed, 'string');
      assert.deepEqual(listNames(packed), list);
      assert.equal(countNames(packed), list.length);
      for (const [at, each] of list.entries()) assert.equal(nameAt(packed, at), each);
    }),
    { numRuns: 2000 },
  );
});

test('a name is found, or where it would be, whether they are packed or listed', () => {
  fc.assert(
    fc.property(names, fc.array(anyName, { maxLength: 10 }), (list, others) => {
      for (const sought of [...list, ...others]) {
        const before = list.filter((each) => each < sought).length;
        const expected = list[before] === sought ? before : ~before;
        assert.equal(findName(list, sought), expected);
        assert.equal(findName(packNames(list), sought), expected);
      }
    }),
    { numRuns: 2000 },
  );
});

test('the child for a name is the last that does not begin behind it, or the first', () => {
  fc.assert(
    fc.property(names, fc.array(anyName, { maxLength: 10 }), (list, others) => {
      fc.pre(list.length > 0);
      for (const sought of [...list, ...others]) {
        const expected = Math.max(0, list.filter((each) => each <= sought).length - 1);
        assert.equal(childFor(list, sought), expected);
        assert.equal(childFor(packNames(list), sought), expected);
      }
    }),
    { numRuns: 2000 },
  );
});

test('long names stay listed, and no packed text is longer than it may be', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 32 }),
      fc.integer({ min: 2, max: 5000 }),
      fc.boolean(),
      (count, length, isAlike) => {
        // Alike they begin with the same, as far as a unit can say how much; otherwise they end with the same.
        const list = Array.from({ length: count }, (_, at) => {
          const number = String(at).padStart(2, '0');
          return isAlike ? number.padStart(length, '0') : number.padEnd(length, '0');
        });
        const shared = isAlike ? Math.min(255, length - (count > 10 ? 2 : 1)) : count > 10 ? 0 : 1;
        const rest = length - shared;
        const units = 3 + shared + count * rest;
        const kept = packNames(list);
        assert.equal(typeof kept === 'string', rest <= 255 && units <= PACKED_UNITS_MAX);
        if (typeof kept === 'string') assert.equal(kept.length, units);
        assert.deepEqual(listNames(kept), list);
      },
    ),
  );
});

test('bounds need not ascend: what they share is what all of them begin with', () => {
  for (const list of [
    ['ma', 'c', 'mz'],
    ['mab', 'ma', 'mac'],
    ['', 'a'],
    ['x', 'x'],
  ]) {
    assert.deepEqual(listNames(packNames(list)), list);
    assert.deepEqual(
      list.map((_, at) => nameAt(packNames(list), at)),
      list,
    );
  }
});

test('names of bytes are packed into bytes, of whatever lengths they are', () => {
  const long = 'a'.repeat(299);
  for (const list of [
    [`${long}a`, `${long}b`],
    ['a'.repeat(255)],
    ['a'.repeat(300), 'b'],
    ['a', 'ab', 'b'],
  ]) {
    const packed = packNames(list) as string;
    assert.ok([...packed].every((unit) => unit.charCodeAt(0) <= 0xff));
  }
});

test('a name of its own is the same name', () => {
  fc.assert(
    fc.property(fc.oneof(name, fc.string({ minLength: 13 })), (text) => {
      fc.pre(text.isWellFormed());
      assert.equal(ownName(text), text);
    }),
  );
});
