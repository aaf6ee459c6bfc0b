// Reads the primitive values of the WebAssembly binary format (core specification 5.2): bytes, LEB128
// integers, names. Never reads past `end`; every fault is MODULE_INVALID with its offset, and no count
// is trusted before the bytes that it promises are known to be there.

import { decodeUtf8 } from '@deltabase/base';
import { invalid } from './invalid.js';

/** A cursor over `bytes[at, end)`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Whether every byte has been read. */
  get done(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw this.truncated();
    return this.bytes[this.at++]!;
  }

  /** An unsigned 32-bit LEB128 integer: at most 5 bytes, no bit beyond the 32nd. */
  u32(): number {
    const first = this.u8();
    return first < 0x80 ? first : this.#u32Rest(first);
  }

  /** The length of a vector whose elements take at least one byte each: never more than what is left. */
  count(what: string, max: number): number {
    const start = this.at;
    const count = this.u32();
    if (count > max) throw invalid(`${count} ${what}, at most ${max} are allowed`, start);
    if (count > this.end - this.at) throw this.truncated();
    return count;
  }

  /** A signed 33-bit LEB128 integer, as used for block types. */
  s33(): number {
    const start = this.at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if (shift === 28) {
        const sign = byte & 0x70;
        if (sign !== 0 && sign !== 0x70) break;
      }
      return byte & 0x40 ? value - 2 ** (shift + 7) : value;
    }
    throw invalid('an integer is longer than its type allows', start);
  }

  /** Passes over a LEB128 integer of at most `bytesMax` bytes (5 for 32 bits, 10 for 64). */
  skipLeb(bytesMax: number): void {
    const start = this.at;
    for (let i = 0; i < bytesMax; i++) {
      if (this.u8() < 0x80) return;
    }
    throw invalid('an integer is longer than its type allows', start);
  }

  /** Passes over `count` bytes. */
  skip(count: number): void {
    if (count > this.end - this.at) throw this.truncated();
    this.at += count;
  }

  /** A name: a length and as many bytes of UTF-8. */
  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    const name = decodeUtf8(this.bytes, start, this.at);
    if (name === undefined) throw invalid('a name is not UTF-8', start);
    return name;
  }

  truncated(): Error {
    return invalid('the module ends in the middle of something', this.at);
  }

  #u32Rest(first: number): number {
    const start = this.at - 1;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if (value > 0xffffffff) break;
      return value;
    }
    throw invalid('an integer is longer than its type allows', start);
  }
}
