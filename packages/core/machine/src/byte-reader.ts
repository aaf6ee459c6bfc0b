// Reads what ByteWriter writes, straight from an entry or a record in it. Every read throws DATA_CORRUPT where it would
// pass the end.

import { DeltabaseError, decodeUtf8 } from '@deltabase/base';

/** Texts that come again and again, such as a session's name: found again they need not be made anew. */
const KNOWN_SLOTS = 256;

export class ByteReader {
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;
  readonly #known = new Array<string | undefined>(KNOWN_SLOTS).fill(undefined);

  /** Reads `bytes[start, end)` from here on. */
  begin(bytes: Uint8Array, start: number, end: number): void {
    if (!(end <= bytes.length)) throw malformed();
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get at(): number {
    return this.#at;
  }

  get end(): number {
    return this.#end;
  }

  /** Goes on at `at`, before the end. */
  seek(at: number): void {
    this.#at = at;
  }

  /** Throws unless everything was read. */
  finish(): void {
    if (this.#at !== this.#end) throw malformed();
  }

  byte(): number {
    if (this.#at >= this.#end) throw malformed();
    return this.#bytes[this.#at++]!;
  }

  number(): number {
    const byte = this.byte();
    return byte < 0x80 ? byte : this.#rest(byte & 0x7f, 0x80);
  }

  signed(): number {
    const byte = this.byte();
    const low = (byte & 0x7f) >>> 1;
    const size = byte < 0x80 ? low : this.#rest(low, 0x40);
    return (byte & 1) === 1 ? -size : size;
  }

  fixed32(): number {
    const start = this.take(4);
    const bytes = this.#bytes;
    const low = bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16);
    return (low | (bytes[start + 3]! << 24)) >>> 0;
  }

  text(): string {
    const start = this.take(this.number());
    return this.#decode(start);
  }

  /** The same for a text that was probably read before. */
  knownText(): string {
    const start = this.take(this.number());
    const slot = this.#slotOf(start);
    const known = this.#known[slot];
    if (known !== undefined && this.#is(known, start)) return known;
    const text = this.#decode(start);
    this.#known[slot] = text;
    return text;
  }

  /** A byte string; it shares the buffer. */
  view(): Uint8Array {
    const start = this.take(this.number());
    return this.#bytes.subarray(start, this.#at);
  }

  /** Goes on behind a text or a byte string; returns where its content starts. */
  skipBytes(): number {
    return this.take(this.number());
  }

  /** Goes on behind `length` bytes; returns where they start. */
  take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw malformed();
    this.#at = start + length;
    return start;
  }

  /** What follows the lowest bits of a number. */
  #rest(low: number, unit: number): number {
    let value = low;
    for (let scale = unit; scale <= Number.MAX_SAFE_INTEGER; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      // A number has one form: no byte of it says nothing.
      if (byte === 0 || value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    throw malformed();
  }

  #decode(start: number): string {
    const text = decodeUtf8(this.#bytes, start, this.#at);
    if (text === undefined) throw malformed();
    return text;
  }

  #slotOf(start: number): number {
    let hash = 0;
    for (let at = start; at < this.#at; at++) hash = Math.imul(hash ^ this.#bytes[at]!, 0x01000193);
    return (hash ^ (hash >>> 16)) & (KNOWN_SLOTS - 1);
  }

  /** Whether the ASCII text of `[start, at)` is `text`. */
  #is(text: string, start: number): boolean {
    const length = this.#at - start;
    if (text.length !== length) return false;
    for (let at = 0; at < length; at++) {
      const byte = this.#bytes[start + at]!;
      if (byte >= 0x80 || text.charCodeAt(at) !== byte) return false;
    }
    return true;
  }
}

const NOTHING = new Uint8Array(0);

/** What is read is not what it should be. */
export function malformed(): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    'a log entry or a delta record has an unknown version or form: it may be of another release',
  );
}
