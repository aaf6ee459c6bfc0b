// Reads the protobuf wire format (protobuf.dev/programming-guides/encoding) in place. For the few messages
// that come by the ten thousand a second; everything else goes through the proto loader. Whatever is wrong
// with the bytes is an INVALID_ARGUMENT.

import { DeltabaseError } from './errors.js';
import { decodeUtf8 } from './utf8.js';

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

const VARINT_BYTES_MAX = 10;

export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  /** Reads `bytes[start, end)`. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** How far it has read: a place in the buffer. */
  get at(): number {
    return this.#at;
  }

  /** What lies from `start` on up to where it has read, sharing the buffer. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#at);
  }

  /** A field's number and wire type, as `number << 3 | type`. */
  tag(): number {
    return this.varint();
  }

  /** An unsigned varint as a number, which is exact up to 2^53 only: check it where that matters. */
  varint(): number {
    const bytes = this.#bytes;
    let value = 0;
    let unit = 1;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      if (this.#at >= this.#end) throw malformed('a number is cut off');
      const byte = bytes[this.#at++]!;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 0x80;
    }
    throw malformed('a number is too long');
  }

  /** A byte string, sharing the buffer. */
  bytes(): Uint8Array {
    const start = this.#take(this.varint());
    return this.#bytes.subarray(start, this.#at);
  }

  /** An embedded message. */
  message(): WireReader {
    const start = this.#take(this.varint());
    return new WireReader(this.#bytes, start, this.#at);
  }

  /** A string. `known` is returned where the bytes are those of it: most names come again and again. */
  text(known = ''): string {
    const length = this.varint();
    const start = this.#take(length);
    if (length === known.length && this.#isAscii(known, start)) return known;
    const text = decodeUtf8(this.#bytes, start, this.#at);
    if (text === undefined) throw malformed('a string is not UTF-8');
    return text;
  }

  /** Skips the value of a field that is not known. */
  skip(tag: number): void {
    const type = tag & 7;
    if (type === VARINT) this.varint();
    else if (type === FIXED64) this.#take(8);
    else if (type === LENGTH_DELIMITED) this.#take(this.varint());
    else if (type === FIXED32) this.#take(4);
    else throw malformed(`wire type ${type} is not known`);
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw malformed('a field is cut off');
    this.#at = start + length;
    return start;
  }

  #isAscii(text: string, start: number): boolean {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 0x80 || code !== this.#bytes[start + at]) return false;
    }
    return true;
  }
}

function malformed(what: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', `the frame is not a protobuf message: ${what}`);
}
