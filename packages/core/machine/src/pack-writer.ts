// Writes the forms of msgpack (https://msgpack.org, spec.md) that delta records consist of, byte for byte as
// msgpackr does, into a buffer that is used again and again: a leader writes a record for every message, and
// the general packer spent as long on one as the handler did.

import { assert, encodeUtf8Into } from '@deltabase/base';

/** Texts up to here, mostly names, are written unit by unit. */
const SHORT_UNITS = 64;
const UTF8_BYTES_MAX = 3;
const HEADER_BYTES_MAX = 9;

export class PackWriter {
  #buffer: Uint8Array;
  #at = 0;
  readonly #float = new Float64Array(1);
  readonly #floatBytes = new Uint8Array(this.#float.buffer);

  constructor(bytes: number) {
    this.#buffer = new Uint8Array(bytes);
  }

  /** What was written so far is in front of `at`; moves when it grows. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  get at(): number {
    return this.#at;
  }

  /** Begins at 0 again. */
  rewind(): void {
    this.#at = 0;
  }

  /** Leaves `bytes` to be written later. */
  skip(bytes: number): void {
    this.#reserve(bytes);
    this.#at += bytes;
  }

  /** Copies `bytes[start, end)` as they are. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    this.#buffer.set(bytes.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  /** A copy of what was written. */
  slice(start: number, end: number): Uint8Array {
    return this.#buffer.slice(start, end);
  }

  /** The head of an array; `length` values follow. */
  array(length: number): void {
    assert(length < 0x10000, 'an array of fields is short');
    this.#reserve(HEADER_BYTES_MAX);
    if (length < 16) this.#byte(0x90 | length);
    else this.#head(0xdc, length, 2);
  }

  nil(): void {
    this.#reserve(HEADER_BYTES_MAX);
    this.#byte(0xc0);
  }

  /** A number that is not negative: whole below 2^32 as an integer, else as a float. */
  number(value: number): void {
    this.#reserve(HEADER_BYTES_MAX);
    if (value < 0x80 && value >>> 0 === value) this.#byte(value);
    else if (value >>> 0 !== value) this.#float64(value);
    else if (value < 0x100) this.#head(0xcc, value, 1);
    else if (value < 0x10000) this.#head(0xcd, value, 2);
    else this.#head(0xce, value, 4);
  }

  text(text: string): void {
    this.#reserve(HEADER_BYTES_MAX + text.length * UTF8_BYTES_MAX);
    if (text.length > SHORT_UNITS || !this.#shortAscii(text)) this.#utf8(text);
  }

  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(HEADER_BYTES_MAX + length);
    if (length < 0x100) this.#head(0xc4, length, 1);
    else if (length < 0x10000) this.#head(0xc5, length, 2);
    else this.#head(0xc6, length, 4);
    if (length > SHORT_UNITS) {
      this.#buffer.set(bytes, this.#at);
    } else {
      for (let at = 0; at < length; at++) this.#buffer[this.#at + at] = bytes[at]!;
    }
    this.#at += length;
  }

  /** Writes a text that is all ASCII; `false`, and nothing written, if it is not. */
  #shortAscii(text: string): boolean {
    const { length } = text;
    const buffer = this.#buffer;
    const start = this.#at + (length < 0x20 ? 1 : 2);
    for (let at = 0; at < length; at++) {
      const unit = text.charCodeAt(at);
      if (unit >= 0x80) return false;
      buffer[start + at] = unit;
    }
    this.#textHead(length);
    this.#at += length;
    return true;
  }

  #utf8(text: string): void {
    // Its length is known only behind it: written with the most room, then moved to where it belongs.
    const start = this.#at + HEADER_BYTES_MAX;
    const length = encodeUtf8Into(text, this.#buffer.subarray(start));
    this.#textHead(length);
    this.#buffer.copyWithin(this.#at, start, start + length);
    this.#at += length;
  }

  #textHead(length: number): void {
    if (length < 0x20) this.#byte(0xa0 | length);
    else if (length < 0x100) this.#head(0xd9, length, 1);
    else if (length < 0x10000) this.#head(0xda, length, 2);
    else this.#head(0xdb, length, 4);
  }

  #byte(value: number): void {
    this.#buffer[this.#at++] = value;
  }

  /** A form byte and a number of `size` bytes, big-endian. */
  #head(form: number, value: number, size: 1 | 2 | 4): void {
    this.#byte(form);
    if (size === 4) {
      this.#byte(value >>> 24);
      this.#byte(value >>> 16);
    }
    if (size >= 2) this.#byte(value >>> 8);
    this.#byte(value);
  }

  #float64(value: number): void {
    this.#byte(0xcb);
    this.#float[0] = value;
    // Float64Array has the processor's order, which is little-endian wherever Node.js runs.
    for (let at = 7; at >= 0; at--) this.#byte(this.#floatBytes[at]!);
  }

  #reserve(bytes: number): void {
    const end = this.#at + bytes;
    if (end <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, end));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
}
