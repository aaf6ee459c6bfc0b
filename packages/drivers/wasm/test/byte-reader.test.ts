import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import fc from 'fast-check';
import { ByteReader } from '../src/binary/byte-reader.js';
import { ByteWriter } from '../src/binary/byte-writer.js';
import { sleb, uleb } from './assembler.js';

const reader = (...bytes: number[]) => new ByteReader(Uint8Array.from(bytes));
const isInvalid = (error: unknown) =>
  error instanceof DeltabaseError && error.code === 'MODULE_INVALID';

test('unsigned integers are read as they are written, in any valid length', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), (value) => {
      const writer = new ByteWriter();
      writer.u32(value);
      assert.deepEqual([...writer.view()], uleb(value));
      assert.equal(new ByteReader(writer.view()).u32(), value);
    }),
  );
  assert.equal(reader(0x80, 0x80, 0x00).u32(), 0, 'zeros behind the number are allowed');
  assert.equal(reader(0xff, 0xff, 0xff, 0xff, 0x0f).u32(), 0xffffffff);
});

test('signed integers are written and read as the format has them', () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const writer = new ByteWriter();
      writer.s32(value);
      assert.deepEqual([...writer.view()], sleb(BigInt(value)));
      assert.equal(new ByteReader(writer.view()).s33(), value);
    }),
  );
  assert.equal(reader(0x40).s33(), -64);
  assert.equal(reader(...sleb(2n ** 32n - 1n)).s33(), 2 ** 32 - 1);
  assert.equal(reader(...sleb(-(2n ** 32n))).s33(), -(2 ** 32));
});

test('integers with bits beyond their type are refused (core specification 5.2.2)', () => {
  for (const bytes of [
    [0xff, 0xff, 0xff, 0xff, 0x1f],
    [0x80, 0x80, 0x80, 0x80, 0x10],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  ]) {
    assert.throws(() => reader(...bytes).u32(), isInvalid, `u32 of ${bytes}`);
  }
  for (const bytes of [
    [0x80, 0x80, 0x80, 0x80, 0x20],
    [0x80, 0x80, 0x80, 0x80, 0x50],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  ]) {
    assert.throws(() => reader(...bytes).s33(), isInvalid, `s33 of ${bytes}`);
  }
  assert.throws(() => reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x00).skipLeb(5), isInvalid);
});

test('nothing is read beyond the end', () => {
  const reads: readonly ((r: ByteReader) => unknown)[] = [
    (r) => r.u8(),
    (r) => r.u32(),
    (r) => r.s33(),
    (r) => r.skipLeb(10),
    (r) => r.skip(1),
    (r) => r.name(),
  ];
  for (const [i, read] of reads.entries()) {
    const bytes = Uint8Array.of(0x85, 0x85, 0x05);
    assert.throws(() => read(new ByteReader(bytes, 0, 0)), isInvalid, `read ${i}`);
    assert.throws(() => read(new ByteReader(bytes, 3)), isInvalid, `read ${i}`);
  }
  for (const read of reads.slice(1, 4)) {
    assert.throws(() => read(new ByteReader(Uint8Array.of(0x85, 0x85, 0x05), 0, 2)), isInvalid);
  }
});

test('a count is believed only if as many bytes are left', () => {
  assert.equal(reader(2, 0, 0).count('things', 9), 2);
  assert.throws(() => reader(3, 0, 0).count('things', 9), isInvalid);
  assert.throws(() => reader(...uleb(0xffffffff), 0).count('things', 0xffffffff), isInvalid);
  assert.throws(() => reader(2, 0, 0).count('things', 1), /2 things, at most 1/);
});

test('a name must be UTF-8', () => {
  assert.equal(reader(4, 0x61, 0xe2, 0x82, 0xac).name(), 'a€');
  assert.throws(() => reader(2, 0xc3, 0x28).name(), /not UTF-8/);
});

test('a writer keeps what was written while it grows', () => {
  const writer = new ByteWriter(1);
  const long = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);
  writer.put(1, 2, 3);
  writer.copy(long);
  writer.copy(long, 10, 20);
  writer.asciiName('ab');
  assert.deepEqual([...writer.view()], [1, 2, 3, ...long, ...long.slice(10, 20), 2, 0x61, 0x62]);
  writer.clear();
  assert.equal(writer.length, 0);
});
