// A stored value and its checksum: CRC-32 (IEEE 802.3) of the value and the key, 4 bytes little-endian in
// front. LevelDB as shipped does not verify its blocks on reads (docs/leveldb.md, fact 6), so we do; the
// key is covered too, so that a value found under another key does not pass.

import { crc32 } from 'node:zlib';
import { DeltabaseError } from '@deltabase/base';

const CHECKSUM_BYTES = 4;

/** The bytes to store for `value` under `key`. */
export function seal(key: Uint8Array, value: Uint8Array): Uint8Array {
  const sealed = Buffer.allocUnsafe(CHECKSUM_BYTES + value.length);
  sealed.writeUInt32LE(checksum(key, value), 0);
  sealed.set(value, CHECKSUM_BYTES);
  return sealed;
}

/** The value in `sealed`, or `undefined` if it is not what was stored under `key`. Shares its buffer. */
export function unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < CHECKSUM_BYTES) return undefined;
  const value = sealed.subarray(CHECKSUM_BYTES);
  const stored = new DataView(sealed.buffer, sealed.byteOffset).getUint32(0, true);
  return checksum(key, value) === stored ? value : undefined;
}

/** The same, where anything else is the end of the disk: throws DATA_CORRUPT. A row that is not there stays so. */
export function verified(key: Uint8Array, sealed: Uint8Array | undefined): Uint8Array | undefined {
  if (sealed === undefined) return undefined;
  const value = unseal(key, sealed);
  if (value !== undefined) return value;
  throw new DeltabaseError(
    'DATA_CORRUPT',
    `the row ${Buffer.from(key).toString('hex')} fails its checksum: replace this node by a fresh one`,
  );
}

/** The key comes last: zlib takes an empty buffer for "begin anew", and a value may be empty. */
function checksum(key: Uint8Array, value: Uint8Array): number {
  return crc32(key, crc32(value));
}
