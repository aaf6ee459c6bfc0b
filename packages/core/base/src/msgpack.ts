// The one way bytes are packed in Deltabase: msgpack arrays of fixed order, by msgpackr, without its record
// extension, so that any msgpack reader of any language can read them. Versions and field orders belong to
// the formats that use this (docs/wire-formats.md).

import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false, int64AsType: 'number', copyBuffers: false });

/**
 * The msgpack bytes of `fields`. They lie in a buffer that msgpackr goes on using: nothing overwrites them,
 * but holding a few bytes holds the whole buffer, so copy what is kept for long.
 */
export function pack(fields: readonly unknown[]): Uint8Array {
  return plain(packr.pack(fields));
}

/**
 * The value in `bytes`, or `undefined` where they are not exactly one msgpack value. Byte strings inside it
 * share the buffer of `bytes`.
 */
export function unpack(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(plain(bytes));
  } catch {
    return undefined; // msgpackr throws on malformed input only; the caller knows what it means.
  }
}

/**
 * The same bytes as a Uint8Array and nothing more. The Buffers of Node.js share in `slice` where a Uint8Array
 * copies, take several times as long to cut, and make whatever meets both kinds slower.
 */
function plain(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
