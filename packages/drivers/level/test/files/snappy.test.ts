import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FormatError } from '../../src/files/cursor.js';
import { decompress } from '../../src/files/snappy.js';

const bytes = (...parts: Array<number | string>): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))),
  );

const text = (compressed: Uint8Array): string =>
  Buffer.from(decompress(compressed, 100_000)).toString();

test('literals of every form of length', () => {
  assert.equal(text(bytes(3, (3 - 1) << 2, 'abc')), 'abc');
  const long = 'x'.repeat(300);
  // 300 as a varint; the length less one in two bytes behind the tag.
  assert.equal(text(bytes(0xac, 0x02, 61 << 2, 0x2b, 0x01, long)), long);
  const short = 'y'.repeat(70);
  assert.equal(text(bytes(70, 60 << 2, 69, short)), short);
});

test('copies of every form of offset, also into themselves', () => {
  // One byte of offset: length 4 to 11.
  assert.equal(text(bytes(8, (4 - 1) << 2, 'abcd', 1 | ((4 - 4) << 2), 4)), 'abcdabcd');
  // Two bytes: length 1 to 64. A copy that reaches into what it writes repeats.
  assert.equal(text(bytes(11, 0, 'a', 2 | ((10 - 1) << 2), 1, 0)), 'a'.repeat(11));
  // Four bytes.
  assert.equal(text(bytes(6, (3 - 1) << 2, 'abc', 3 | ((3 - 1) << 2), 3, 0, 0, 0)), 'abcabc');
});

test('what does not fit together is refused', () => {
  const bad = {
    'longer than it says': bytes(2, (3 - 1) << 2, 'abc'),
    'shorter than it says': bytes(4, (3 - 1) << 2, 'abc'),
    'ends in a literal': bytes(3, (3 - 1) << 2, 'ab'),
    'a copy of what was never there': bytes(6, 0, 'a', 2 | ((5 - 1) << 2), 2, 0),
    'a copy from nowhere': bytes(6, 0, 'a', 2 | ((5 - 1) << 2), 0, 0),
    'a copy beyond the end': bytes(3, 0, 'a', 2 | ((5 - 1) << 2), 1, 0),
    'no length': bytes(),
  };
  for (const [what, compressed] of Object.entries(bad)) {
    assert.throws(() => decompress(compressed, 100), FormatError, what);
  }
  assert.throws(() => decompress(bytes(3, (3 - 1) << 2, 'abc'), 2), FormatError, 'too large');
});
