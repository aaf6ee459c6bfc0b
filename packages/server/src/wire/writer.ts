// Writes the protobuf wire format into one growing buffer, fields in the order of the calls.

import { LENGTH_DELIMITED, VARINT } from '@deltabase/base';

const BYTES_AT_FIRST = 256;
const VARINT_BYTES_MAX = 10;

export class WireWriter {
  #buffer = Buffer.allocUnsafe(BYTES_AT_FIRST);
  #at = 0;

  /** Bytes written. */
  get length(): number {
    return this.#at;
  }

  /** A whole number from 0 to 2^53. Zero is left out, as proto3 does. */
  number(field: number, value: number): this {
    if (value === 0) return this;
    this.#reserve(2 * VARINT_BYTES_MAX);
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  /** The same, zero too: for `optional` fields. */
  optionalNumber(field: number, value: number): this {
    if (value > 0) return this.number(field, value);
    this.#reserve(2 * VARINT_BYTES_MAX);
    this.#varint(field * 8 + VARINT);
    this.#varint(0);
    return this;
  }

  flag(field: number, value: boolean): this {
    return this.number(field, value ? 1 : 0);
  }

  /** A byte string, even an empty one: for `optional` fields and embedded messages. */
  present(field: number, value: Uint8Array): this {
    return this.head(field, value.length).append(value);
  }

  /** A byte string; an empty one is left out. */
  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.present(field, value);
  }

  /** A string; an empty one is left out. */
  text(field: number, value: string): this {
    if (value === '') return this;
    const length = Buffer.byteLength(value);
    this.head(field, length);
    this.#reserve(length);
    this.#buffer.write(value, this.#at, length, 'utf8');
    this.#at += length;
    return this;
  }

  /** Whole numbers from 0 to 2^53, packed; none are left out. */
  packed(field: number, values: readonly number[]): this {
    if (values.length === 0) return this;
    let bytes = 0;
    for (const value of values) bytes += varintBytes(value);
    this.head(field, bytes);
    this.#reserve(bytes);
    for (const value of values) this.#varint(value);
    return this;
  }

  /** Opens an embedded message of `length` bytes, which the caller writes next. */
  head(field: number, length: number): this {
    this.#reserve(2 * VARINT_BYTES_MAX);
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(length);
    return this;
  }

  /** Bytes as they are: fields that were written before. */
  append(written: Uint8Array): this {
    this.#reserve(written.length);
    this.#buffer.set(written, this.#at);
    this.#at += written.length;
    return this;
  }

  /** Leaves room for so many bytes, which the holder of the view writes. */
  skip(bytes: number): this {
    this.#reserve(bytes);
    this.#at += bytes;
    return this;
  }

  /** What was written, where it stands: good until the writer is written to, or begun again in the same buffer. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  /** Empties the writer, whose bytes nobody needs any more. */
  clear(): void {
    this.#at = 0;
  }

  /** Empties the writer and leaves its bytes to whoever has a view of them; it goes on in a buffer of `bytes`. */
  leave(bytes: number): void {
    this.#buffer = Buffer.allocUnsafe(Math.max(BYTES_AT_FIRST, bytes));
    this.#at = 0;
  }

  /** What was written, in a buffer of its own; the writer is empty afterwards. */
  finish(): Buffer {
    const written = Buffer.allocUnsafe(this.#at);
    this.#buffer.copy(written, 0, 0, this.#at);
    this.#at = 0;
    return written;
  }

  #varint(value: number): void {
    let left = value;
    while (left >= 0x80) {
      this.#buffer[this.#at++] = (left % 0x80) | 0x80;
      left = Math.floor(left / 0x80);
    }
    this.#buffer[this.#at++] = left;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

/** Bytes of a numeric field with its tag, below field 16; zero is left out. */
export function numberBytes(value: number): number {
  return value === 0 ? 0 : 1 + varintBytes(value);
}

/** Bytes of a length-delimited field with its tag, below field 16. */
export function lengthDelimitedBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

/** Bytes of a varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) bytes++;
  return bytes;
}
