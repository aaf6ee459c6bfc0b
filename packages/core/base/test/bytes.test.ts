import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeBase64,
  decodeUtf8,
  encodeBase64,
  encodeUtf8,
  encodeUtf8Into,
  exceedsUtf8,
  pack,
  unpack,
} from '../src/index.js';

test('Base64 gives the vectors of RFC 4648 §10', () => {
  const vectors = {
    f: 'Zg==',
    fo: 'Zm8=',
    foo: 'Zm9v',
    foob: 'Zm9vYg==',
    fooba: 'Zm9vYmE=',
    '': '',
  };
  for (const [text, encoded] of Object.entries(vectors)) {
    assert.equal(encodeBase64(encodeUtf8(text)), encoded);
    assert.deepEqual(decodeBase64(encoded), encodeUtf8(text));
  }
});

test('Base64 is what Node makes of any bytes, and comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = encodeBase64(bytes);
      assert.equal(text, Buffer.from(bytes).toString('base64'));
      assert.deepEqual(decodeBase64(text), bytes);
    }),
  );
});

test('what is not Base64 is undefined', () => {
  for (const text of ['Z', 'Zg=', 'Zg==Zg==', 'Z!==', 'Zm9\n']) {
    assert.equal(decodeBase64(text), undefined, JSON.stringify(text));
  }
});

test('UTF-8 comes back, and malformed bytes are undefined, short or long', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      assert.equal(decodeUtf8(encodeUtf8(text)), text);
    }),
  );
  for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0xe2, 0x82]]) {
    assert.equal(decodeUtf8(Uint8Array.from(bad)), undefined);
    const long = Uint8Array.from([...new Array(100).fill(0x61), ...bad]);
    assert.equal(decodeUtf8(long), undefined);
  }
});

test('a part of a buffer is decoded, and a byte order mark is text', () => {
  const bytes = encodeUtf8('\ufeffabcdef');
  assert.equal(decodeUtf8(bytes), '\ufeffabcdef');
  assert.equal(decodeUtf8(bytes, 3, 6), 'abc');
});

test('encoding into a buffer stops where it is full, at a whole character', () => {
  const into = new Uint8Array(4);
  assert.equal(encodeUtf8Into('ab€', into), 2);
  assert.equal(encodeUtf8Into('a€', into), 4);
});

test('msgpack has the golden bytes of its specification', () => {
  const packed = pack([1, 'a', true, null, Uint8Array.of(7), 2 ** 40, -1, 0.5]);
  const golden = '9801a161c3c0c40107cb4270000000000000ffcb3fe0000000000000';
  assert.equal(Buffer.from(packed).toString('hex'), golden);
  assert.deepEqual(unpack(packed), [1, 'a', true, null, Uint8Array.of(7), 2 ** 40, -1, 0.5]);
});

test('what is cut out of packed bytes is a copy, not a hold on all of them', () => {
  for (const bytes of [pack(['a', Uint8Array.of(7)]), Buffer.from(pack(['a', Uint8Array.of(7)]))]) {
    const [, inner] = unpack(bytes) as [string, Uint8Array];
    assert.equal(inner.buffer, bytes.buffer, 'unpacking copies nothing');
    assert.equal(inner.slice().buffer.byteLength, 1);
  }
  assert.equal(pack(['a']).slice().buffer.byteLength, 3);
});

test('bytes that are not one msgpack value unpack to undefined', () => {
  assert.equal(unpack(Uint8Array.of(0x92, 1)), undefined);
  assert.equal(unpack(Uint8Array.of(1, 2)), undefined);
  assert.equal(unpack(new Uint8Array(0)), undefined);
});

test('a text is as long as its UTF-8 bytes', () => {
  for (const text of ['', 'a', 'é', '語', '😀', 'a語é😀'.repeat(9)]) {
    const { length } = encodeUtf8(text);
    assert.ok(!exceedsUtf8(text, length), text);
    if (length > 0) assert.ok(exceedsUtf8(text, length - 1), text);
  }
});
