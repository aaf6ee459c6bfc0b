import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c, maskedCrc32c } from '../../src/files/crc32c.js';

/** Bit by bit, as the polynomial says. */
function reference(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('CRC-32C is that of RFC 3720 §B.4', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
});

test('it is the same for every length and every part of something longer', () => {
  const bytes = Uint8Array.from({ length: 60 }, (_, at) => (at * 89) & 255);
  for (let start = 0; start < 9; start++) {
    for (let end = start; end <= bytes.length; end++) {
      assert.equal(crc32c(bytes, start, end), reference(bytes.subarray(start, end)));
    }
  }
});

test('LevelDB stores it turned by 15 bits and shifted', () => {
  // 0xe3069283 turned right by 15 bits is 0x2507c60d.
  assert.equal(maskedCrc32c(Buffer.from('123456789')), (0x2507c60d + 0xa282ead8) >>> 0);
});
