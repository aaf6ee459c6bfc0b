import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, count, duration, moment, shortJson } from '../../src/format/values.js';

test('a moment is UTC to the millisecond, and nothing where it is not known or none', () => {
  assert.equal(moment(1_700_000_000_123), '2023-11-14 22:13:20.123Z');
  for (const ms of [0, -1, Number.NaN, Infinity, 1e300]) assert.equal(moment(ms), '-');
});

test('a duration is told by its two largest units', () => {
  assert.deepEqual(
    [0, 1234, 60_000, 725_000, 3_600_000, 7_260_000, 86_400_000, 273_600_000].map(duration),
    ['0.0s', '1.2s', '1m 0s', '12m 5s', '1h 0m', '2h 1m', '1d 0h', '3d 4h'],
  );
});

test('a size has a unit and three digits at most', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 102_400, 1_048_576, 5 * 2 ** 30, 2 ** 50].map(bytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '100 KiB',
    '1.0 MiB',
    '5.0 GiB',
    '1024 TiB',
  ]);
});

test('a number has its thousands apart', () => {
  assert.deepEqual([0, 999, 1000, 1_234_567].map(count), ['0', '999', '1,000', '1,234,567']);
});

test('JSON that is too long is cut, never in the middle of a character', () => {
  assert.equal(shortJson({ a: 1 }, 7), '{"a":1}');
  assert.equal(shortJson({ a: 10 }, 7), '{"a"...');
  assert.equal(shortJson('ab🙂cdef', 7), '"ab...');
  assert.equal(shortJson('\u001b', 100), '"\\u001b"');
  assert.equal(shortJson('\u009b', 100), '"\\u009b"');
});
