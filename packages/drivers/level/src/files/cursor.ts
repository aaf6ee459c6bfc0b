// Reads the numbers and strings of LevelDB's files, one behind the other. What does not fit in is a FormatError:
// the file is damaged, or no such file.

/** Why bytes are not what they should be. */
export class FormatError extends Error {}

export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  /** A number in groups of seven bits, the lowest first; of as few bytes as it needs, at most 8. */
  varint(): number {
    let value = 0;
    for (let unit = 1; unit <= 2 ** 49; unit *= 128) {
      const byte = this.bytes(1)[0]!;
      value += (byte & 127) * unit;
      if (byte >= 128) continue;
      if (byte === 0 && unit > 1) break;
      return value;
    }
    throw new FormatError('a number is too long');
  }

  /** Bytes behind their number. */
  sized(): Uint8Array {
    return this.bytes(this.varint());
  }

  bytes(count: number): Uint8Array {
    const end = this.#at + count;
    if (!(end <= this.#end)) throw new FormatError('something ends too early');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** A number of `count` bytes, the lowest first. */
  fixed(count: number): number {
    const bytes = this.bytes(count);
    let value = 0;
    for (let at = count - 1; at >= 0; at--) value = value * 256 + bytes[at]!;
    return value;
  }
}
