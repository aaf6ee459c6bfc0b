import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, encodeUtf8 } from '@deltabase/base';
import fc from 'fast-check';
import {
  checkChannelName,
  checkDocumentKey,
  checkSpaceName,
  groupOf,
  nameHash,
  SYSTEM_SPACE,
} from '../src/index.js';

const invalid = { code: 'INVALID_ARGUMENT' };

test('names of spaces and channels are what the error says they are', () => {
  for (const name of ['a', '0', 'chat-rooms', 'v1.2_x', 'a'.repeat(64)]) {
    checkSpaceName(name, DEFAULT_LIMITS);
  }
  for (const name of ['', 'A', '.a', '-a', 'a b', 'ä', 'a/b', '$system', 'a'.repeat(65)]) {
    assert.throws(() => checkSpaceName(name, DEFAULT_LIMITS), invalid, name);
  }
  for (const name of ['add', 'a1_b']) checkChannelName(name, DEFAULT_LIMITS);
  for (const name of ['', '1a', 'Add', 'a-b', 'a'.repeat(65)]) {
    assert.throws(() => checkChannelName(name, DEFAULT_LIMITS), invalid, name);
  }
});

test('a document key is any text without control characters, up to its bytes', () => {
  for (const key of ['x', 'user/42', 'Käse', '文書', '🙂', 'a'.repeat(512), 'é'.repeat(256)]) {
    checkDocumentKey(key, DEFAULT_LIMITS);
  }
  for (const key of ['', 'a\n', '\u0000', '\u007f', '\ud800', 'a'.repeat(513), 'é'.repeat(257)]) {
    assert.throws(() => checkDocumentKey(key, DEFAULT_LIMITS), invalid, JSON.stringify(key));
  }
});

test('the group of a name is part of the protocol (docs/wire-formats.md)', () => {
  assert.equal(nameHash('counter', 'visits'), 3_173_043_964);
  assert.equal(nameHash('text', 'Käse'), 938_370_509);
  assert.equal(nameHash('text', '🙂'), 1_831_107_089);
  assert.equal(groupOf('counter', 'visits', 16), 1 + (3_173_043_964 % 16));
  assert.equal(groupOf(SYSTEM_SPACE, 'machines', 16), 0);
});

test('the hash is FNV-1a over UTF-8, finished like MurmurHash3, for any text', () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(text, text, (space, key) => {
      let hash = 0x811c9dc5n;
      for (const byte of [...encodeUtf8(space), 0, ...encodeUtf8(key)]) {
        hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
      }
      for (const [shift, factor] of [
        [16n, 0x85ebca6bn],
        [13n, 0xc2b2ae35n],
        [16n, 1n],
      ] as const) {
        hash = ((hash ^ (hash >> shift)) * factor) & 0xffffffffn;
      }
      assert.equal(nameHash(space, key), Number(hash));
    }),
  );
});

test('names spread evenly over groups', () => {
  const counts = new Array(17).fill(0);
  for (let i = 0; i < 16_000; i++) counts[groupOf('counter', `doc-${i}`, 16)]++;
  assert.equal(counts[0], 0);
  for (const count of counts.slice(1)) assert.ok(count > 850 && count < 1150, String(counts));
});
