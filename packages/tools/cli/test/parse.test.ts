import assert from 'node:assert/strict';
import { test } from 'node:test';
import { natural, upTo, whole } from '../src/parse.js';

const NOT_WHOLE = ['', ' ', 'x', '-1', '1.5', '1e3', '0x10', ' 1', '9007199254740993', '٣'];

test('a whole number is digits that JavaScript can hold', () => {
  assert.deepEqual(['0', '007', '9007199254740991'].map(whole), [0, 7, Number.MAX_SAFE_INTEGER]);
  for (const text of NOT_WHOLE) assert.throws(() => whole(text), /from 0 on/, text);
});

test('a natural number is a whole one from 1 on', () => {
  assert.equal(natural('1'), 1);
  for (const text of [...NOT_WHOLE, '0']) assert.throws(() => natural(text), /from 1 on/, text);
});

test('a number with a bound is above 0 and at most that', () => {
  const seconds = upTo(600);
  assert.deepEqual(['0.5', '600', '1e2'].map(seconds), [0.5, 600, 100]);
  for (const text of ['', ' ', '0', '-1', '600.1', 'Infinity', 'NaN', 'x']) {
    assert.throws(() => seconds(text), /above 0, and at most 600/, text);
  }
});
