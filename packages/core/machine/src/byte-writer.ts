// Writes the parts that delta records consist of (docs/wire-formats.md), into a buffer that is used again and again: a
// leader writes a record for every message.

import { assert, encodeUtf8Into } from '@deltabase/base';

/** Texts and byte strings up to here, mostly names, are written unit by unit. */
const SHORT_UNITS = 64;
const UTF8_BYTES_MAX = 3;
/** A whole number takes 7 bits a byte. */
const NUMBER_BYTES_MAX = 8;
const TWO_TO_31 = 2 ** 31;
const WHOLE_NUMBER = 'what is written is a whole number that a double holds exactly';

export class ByteWriter {
  #buffer: Uint8Array;
  #at = 0;

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

  /** Goes on at `at`: what was written from there on is gone. */
  rewind(at: number): void {
    this.#at = at;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#at++] = value;
  }

  /** A whole number from 0 to 2^53 - 1: 7 bits a byte, the lowest first, each but the last with its high bit set. */
  number(value: number): void {
    if (value >>> 0 !== value) assert(Number.isSafeInteger(value) && value >= 0, WHOLE_NUMBER);
    this.#reserve(NUMBER_BYTES_MAX);
    this.#number(value);
  }

  /** A whole number of either sign: its size with the sign as lowest bit, 6 bits of it in the first byte. */
  signed(value: number): void {
    if ((value | 0) !== value) assert(Number.isSafeInteger(value), WHOLE_NUMBER);
    this.#reserve(NUMBER_BYTES_MAX + 1);
    const size = Math.abs(value);
    const low = ((size & 0x3f) << 1) | (value < 0 ? 1 : 0);
    if (size < 0x40) {
      this.#buffer[this.#at++] = low;
    } else {
      this.#buffer[this.#at++] = low | 0x80;
      this.#number(Math.floor(size / 0x40));
    }
  }

  /** 32 bits, the lowest first. */
  fixed32(value: number): void {
    assert(value >>> 0 === value, 'it has 32 bits');
    this.#reserve(4);
    const buffer = this.#buffer;
    buffer[this.#at++] = value;
    buffer[this.#at++] = value >>> 8;
    buffer[this.#at++] = value >>> 16;
    buffer[this.#at++] = value >>> 24;
  }

  /** The number of its bytes, then UTF-8. */
  text(text: string): void {
    this.#reserve(2 * NUMBER_BYTES_MAX + text.length * UTF8_BYTES_MAX);
    if (text.length > SHORT_UNITS || !this.#shortAscii(text)) this.#utf8(text);
  }

  /** The number of the bytes, then themselves: those in `[start, end)`. */
  bytes(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.number(end - start);
    this.copy(bytes, start, end);
  }

  /** Copies `bytes[start, end)` as they are. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    if (length > SHORT_UNITS) {
      this.#buffer.set(bytes.subarray(start, end), this.#at);
    } else {
      for (let i = 0; i < length; i++) this.#buffer[this.#at + i] = bytes[start + i]!;
    }
    this.#at += length;
  }

  /**
   * Puts a number in front of what was written from `start` on, where one byte was left for it. Returns by how much
   * that moved.
   */
  numberBefore(start: number, value: number): number {
    const moved = numberBytes(value) - 1;
    this.#reserve(moved);
    const end = this.#at + moved;
    if (moved > 0) this.#buffer.copyWithin(start + moved, start, this.#at);
    this.#at = start - 1;
    this.#number(value);
    this.#at = end;
    return moved;
  }

  /** A copy of what was written. */
  slice(start: number, end: number): Uint8Array {
    return this.#buffer.slice(start, end);
  }

  #number(value: number): void {
    const buffer = this.#buffer;
    let rest = value;
    while (rest >= 0x80) {
      buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest = rest < TWO_TO_31 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    buffer[this.#at++] = rest;
  }

  /** Writes a text that is all ASCII; `false`, and nothing written, if it is not. */
  #shortAscii(text: string): boolean {
    const { length } = text;
    const buffer = this.#buffer;
    const start = this.#at + 1;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return false;
      buffer[start + i] = unit;
    }
    buffer[this.#at] = length;
    this.#at = start + length;
    return true;
  }

  #utf8(text: string): void {
    // Its length is known only behind it.
    const start = this.#at + 1;
    const length = encodeUtf8Into(text, this.#buffer.subarray(start));
    this.#at = start + length;
    this.numberBefore(start, length);
  }

  #reserve(bytes: number): void {
    const end = this.#at + bytes;
    if (end <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, end));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
}

/** Bytes that `number` makes of `value`. */
function numberBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
