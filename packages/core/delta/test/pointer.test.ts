import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, makePrng } from '@deltabase/base';
import fc from 'fast-check';
import { canonicalJson } from '../src/canonical.js';
import { fromJson } from '../src/json.js';
import { arrayIndex, formatPointer, parsePointer } from '../src/pointer.js';
import { getAt } from '../src/read.js';
import { name } from './arbitraries.js';

test('the pointers of RFC 6901 §5 find what they should', () => {
  const document = fromJson({
    foo: ['bar', 'baz'],
    '': 0,
    'a/b': 1,
    'c%d': 2,
    'e^f': 3,
    'g|h': 4,
    'i\\j': 5,
    'k"l': 6,
    ' ': 7,
    'm~n': 8,
  });
  const found: readonly (readonly [string, string])[] = [
    ['', canonicalJson(document)],
    ['/foo', '["bar","baz"]'],
    ['/foo/0', '"bar"'],
    ['/', '0'],
    ['/a~1b', '1'],
    ['/c%d', '2'],
    ['/e^f', '3'],
    ['/g|h', '4'],
    ['/i\\j', '5'],
    ['/k"l', '6'],
    ['/ ', '7'],
    ['/m~0n', '8'],
  ];
  for (const [pointer, text] of found) assert.equal(canonicalJson(getAt(document, pointer)!), text);
});

test('pointers and tokens translate into each other', () => {
  fc.assert(
    fc.property(fc.array(name), (tokens) => {
      const pointer = formatPointer(tokens);
      assert.deepEqual(parsePointer(pointer), tokens);
      assert.deepEqual(parsePointer(pointer), tokens, 'again, from memory');
    }),
    { numRuns: 1000 },
  );
});

test('pointers that meet in memory are told apart', () => {
  const random = makePrng(3);
  // More than there are places, so that each displaces others, and pairs that come by turns.
  const pointers = Array.from({ length: 3000 }, (_, n) => `/p${n}/${n % 7}`);
  for (let n = 0; n < 30_000; n++) {
    const at = random.below(pointers.length);
    const other = random.below(pointers.length);
    for (const each of [at, other, at]) {
      assert.deepEqual(parsePointer(pointers[each]!), [`p${each}`, String(each % 7)]);
    }
  }
});

test("a malformed pointer is refused again, and stays no one's", () => {
  for (const malformed of ['/a~', 'a', '/~2']) {
    for (let time = 0; time < 3; time++) assert.throws(() => parsePointer(malformed));
    assert.deepEqual(parsePointer('/a'), ['a']);
    assert.throws(() => parsePointer(malformed));
    assert.deepEqual(parsePointer(''), []);
  }
});

test('a pointer that comes again is split once', () => {
  const once = parsePointer('/met/once');
  assert.equal(parsePointer('/met/once'), once, 'it is the newest');
  parsePointer('/another');
  const again = parsePointer('/met/once');
  assert.notEqual(again, once, 'nothing is kept of what may never come again');
  parsePointer('/another');
  parsePointer('/third');
  assert.equal(parsePointer('/met/once'), again, 'it is remembered');
});

test('"~01" is "~1", not "/"', () => {
  assert.deepEqual(parsePointer('/~01'), ['~1']);
  assert.deepEqual(parsePointer('/~0~1~00~11'), ['~/~0/1']);
});

test('malformed pointers are refused with what to do', () => {
  for (const pointer of ['a', 'a/b', ' /a', '#/a', '/~', '/~2', '/a/~', '/a~b/c', '/~~0', '/~1~']) {
    assert.throws(
      () => parsePointer(pointer),
      (thrown: unknown) =>
        thrown instanceof DeltabaseError &&
        thrown.code === 'INVALID_ARGUMENT' &&
        /begin each part with "\/"/.test(thrown.message),
    );
  }
});

test('an error shows the beginning of a long pointer only', () => {
  assert.throws(
    () => parsePointer('x'.repeat(100_000)),
    (thrown: unknown) => thrown instanceof Error && thrown.message.length < 400,
  );
});

test('positions are decimal without leading zeros (RFC 6901 §4)', () => {
  const positions: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['1', 1],
    ['10', 10],
    ['999999999999999', 999_999_999_999_999],
    ['', -1],
    ['-', -1],
    ['-1', -1],
    ['00', -1],
    ['01', -1],
    ['1e0', -1],
    ['1.0', -1],
    [' 1', -1],
    ['+1', -1],
    ['\u0661', -1],
    ['0x1', -1],
    ['9999999999999999', -1],
  ];
  for (const [token, index] of positions) assert.equal(arrayIndex(token), index, token);
});

test('remembering many pointers confuses none of them', () => {
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 5000; i++) assert.deepEqual(parsePointer(`/a/${i}/b`), ['a', `${i}`, 'b']);
  }
});
