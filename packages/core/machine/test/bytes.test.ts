import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader } from '../src/byte-reader.js';
import { ByteWriter } from '../src/byte-writer.js';

const CORRUPT = { code: 'DATA_CORRUPT' };

function written(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter(1);
  write(writer);
  return Buffer.from(writer.slice(0, writer.at));
}

function readerOf(bytes: Uint8Array): ByteReader {
  const reader = new ByteReader();
  reader.begin(bytes, 0, bytes.length);
  return reader;
}

function wholly<T>(bytes: Uint8Array, read: (reader: ByteReader) => T): T {
  const reader = readerOf(bytes);
  const value = read(reader);
  reader.finish();
  return value;
}

const NUMBERS: ReadonlyArray<readonly [number, string]> = [
  [0, '00'],
  [0x7f, '7f'],
  [0x80, '8001'],
  [0x3fff, 'ff7f'],
  [0x4000, '808001'],
  [2 ** 31 - 1, 'ffffffff07'],
  [2 ** 31, '8080808008'],
  [2 ** 32, '8080808010'],
  [2 ** 53 - 1, 'ffffffffffffff0f'],
];

const SIGNED: ReadonlyArray<readonly [number, string]> = [
  [0, '00'],
  [1, '02'],
  [-1, '03'],
  [0x3f, '7e'],
  [-0x3f, '7f'],
  [0x40, '8001'],
  [-0x40, '8101'],
  [2 ** 31, '8080808010'],
  [-(2 ** 53 - 1), 'ffffffffffffff1f'],
];

test('numbers have the bytes that docs/wire-formats.md says', () => {
  for (const [value, hex] of NUMBERS) {
    const bytes = written((writer) => writer.number(value));
    assert.equal(bytes.toString('hex'), hex, `${value}`);
    assert.equal(
      wholly(bytes, (reader) => reader.number()),
      value,
    );
  }
  for (const [value, hex] of SIGNED) {
    const bytes = written((writer) => writer.signed(value));
    assert.equal(bytes.toString('hex'), hex, `${value}`);
    assert.equal(
      wholly(bytes, (reader) => reader.signed()),
      value,
    );
  }
});

test('what is written is read', () => {
  const safe = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
  const text = fc.string({ unit: 'binary', maxLength: 200 }).map((each) => each.toWellFormed());
  fc.assert(
    fc.property(fc.maxSafeNat(), safe, fc.nat(2 ** 32 - 1), text, fc.uint8Array(), (...all) => {
      const [number, signed, bits, name, bytes] = all;
      const stored = written((writer) => {
        writer.number(number);
        writer.signed(signed);
        writer.fixed32(bits);
        writer.text(name);
        writer.text(name);
        writer.bytes(bytes);
      });
      const found = wholly(stored, (reader) => [
        ...[reader.number(), reader.signed(), reader.fixed32(), reader.text(), reader.knownText()],
        Uint8Array.from(reader.view()),
      ]);
      assert.deepEqual(found, [number, signed, bits, name, name, bytes]);
    }),
  );
});

test('a number put in front moves what is behind it by what it takes', () => {
  for (const length of [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 70_000]) {
    const content = new Uint8Array(length).map((_, at) => at);
    const stored = written((writer) => {
      writer.byte(9);
      writer.byte(0);
      writer.copy(content, 0, length);
      const moved = writer.numberBefore(2, length);
      assert.equal(2 + moved + length, writer.at);
    });
    assert.equal(stored[0], 9);
    assert.deepEqual(
      wholly(stored.subarray(1), (reader) => Buffer.from(reader.view())),
      Buffer.from(content),
    );
  }
});

test('what is no whole number of a double is not written', () => {
  const writer = new ByteWriter(8);
  for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => writer.number(value), /whole number/);
  }
  for (const value of [0.5, Number.NaN, 2 ** 53, -(2 ** 53)]) {
    assert.throws(() => writer.signed(value), /whole number/);
  }
  for (const value of [-1, 0.5, 2 ** 32]) assert.throws(() => writer.fixed32(value), /32 bits/);
});

test('a number beyond 2^53 - 1, or with bytes that say nothing, is damage, however long (DATA_CORRUPT)', () => {
  const reads = [
    (reader: ByteReader) => reader.number(),
    (reader: ByteReader) => reader.signed(),
    (reader: ByteReader) => reader.skipBytes(),
    (reader: ByteReader) => reader.view(),
    (reader: ByteReader) => reader.text(),
    (reader: ByteReader) => reader.knownText(),
  ];
  const wrong = [
    ...['8000', 'ff00', '80808000', 'ffffffffffffff3f', 'ffffffffffffffffff01', ''],
    ...[9, 100, 160, 400].flatMap((count) => ['80', 'ff'].map((byte) => byte.repeat(count))),
    ...[9, 100, 160, 400].map((count) => `${'80'.repeat(count)}01${'00'.repeat(40)}`),
  ];
  for (const hex of wrong) {
    for (const read of reads) {
      assert.throws(() => read(readerOf(Buffer.from(hex, 'hex'))), CORRUPT, `${read} of ${hex}`);
    }
  }
});

test('nothing is read beyond the end (DATA_CORRUPT)', () => {
  for (const read of ['byte', 'fixed32'] as const) {
    assert.throws(() => readerOf(new Uint8Array(0))[read](), CORRUPT);
  }
  assert.throws(() => readerOf(Uint8Array.of(3, 1, 2)).view(), CORRUPT);
  assert.throws(() => readerOf(Uint8Array.of(3)).take(2), CORRUPT);
  assert.throws(() => new ByteReader().begin(new Uint8Array(3), 0, 4), CORRUPT);
  assert.throws(() => readerOf(Uint8Array.of(1)).finish(), CORRUPT);
  assert.throws(() => readerOf(Uint8Array.of(1, 0xff)).text(), CORRUPT);
});

test('a known text is not taken for one of other bytes with the same units', () => {
  const reader = new ByteReader();
  const read = (text: string): string => {
    const stored = written((writer) => writer.text(text));
    reader.begin(stored, 0, stored.length);
    return reader.knownText();
  };
  for (let lead = 0xc2; lead <= 0xdf; lead++) {
    for (let second = 0x80; second <= 0xbf; second++) {
      const units = String.fromCharCode(lead, second);
      const decoded = Buffer.from([lead, second]).toString();
      for (const text of [units, decoded, units]) assert.equal(read(text), text);
    }
  }
});
