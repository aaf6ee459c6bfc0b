import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError } from '@deltabase/base';
import fc from 'fast-check';
import { canonicalBytes } from '../src/canonical.js';
import { fromJson, type Json } from '../src/json.js';
import { bytesOf, depthOf, hashText, slotOf, TEXT_UNITS_MAX } from '../src/measure.js';
import { number, text, wideJson } from './arbitraries.js';

test('the bytes of a value are those of its canonical JSON', () => {
  fc.assert(
    fc.property(wideJson, (json) => {
      assert.equal(bytesOf(fromJson(json)), canonicalBytes(fromJson(json)).length);
    }),
  );
});

test('the bytes of scalars are those that JSON.stringify makes', () => {
  fc.assert(
    fc.property(fc.oneof(number, text), (scalar) => {
      assert.equal(bytesOf(fromJson(scalar)), Buffer.byteLength(JSON.stringify(scalar)));
    }),
    { numRuns: 1000 },
  );
});

test('whole numbers are measured at every length', () => {
  for (let digits = 0; digits <= 16; digits++) {
    for (const sign of [1, -1]) {
      for (const value of [10 ** digits - 1, 10 ** digits, 10 ** digits + 1, 2 ** (2 * digits)]) {
        assert.equal(bytesOf(sign * value + 0), JSON.stringify(sign * value).length);
      }
    }
  }
});

test('every character of the first planes is measured as it is written', () => {
  for (let unit = 0; unit <= 0xffff; unit += unit < 0x900 ? 1 : 37) {
    if (unit >= 0xd800 && unit <= 0xdfff) continue;
    const character = String.fromCharCode(unit);
    assert.equal(bytesOf(character), Buffer.byteLength(JSON.stringify(character)));
  }
  assert.equal(bytesOf('\u{1f600}'), 6);
});

test('depth counts nested containers', () => {
  const cases: readonly (readonly [Json, number])[] = [
    [1, 0],
    ['x', 0],
    [[], 1],
    [{ a: 1 }, 1],
    [[[], {}], 2],
    [{ a: [{ b: [] }] }, 4],
  ];
  for (const [json, depth] of cases) assert.equal(depthOf(fromJson(json)), depth);
});

test('a long string is the same value inside and outside of a container', () => {
  const long = 'x'.repeat(TEXT_UNITS_MAX + 1);
  const short = 'x'.repeat(TEXT_UNITS_MAX);
  assert.equal(typeof slotOf(long), 'object');
  assert.equal(slotOf(short), short);
  assert.equal(hashText(fromJson([long])), hashText(fromJson([`${'x'.repeat(TEXT_UNITS_MAX)}x`])));
});

test('what is no value is a bug where a value is expected', () => {
  assert.throws(() => bytesOf('\ud800'), AssertionError);
  assert.throws(() => bytesOf('a\udc00'), AssertionError);
  assert.throws(() => bytesOf(Number.NaN), AssertionError);
  assert.throws(() => bytesOf(Number.POSITIVE_INFINITY), AssertionError);
});
