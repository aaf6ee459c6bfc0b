// Builds bytes of the WebAssembly binary format. Grows by doubling, so that writing a module is linear.

/** An append-only buffer. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  /** Single bytes, one after the other. */
  put(...bytes: readonly number[]): void {
    this.#reserve(bytes.length);
    for (const byte of bytes) this.#bytes[this.#length++] = byte;
  }

  /** An unsigned 32-bit LEB128 integer. */
  u32(value: number): void {
    this.#reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A signed 32-bit LEB128 integer. */
  s32(value: number): void {
    this.#reserve(5);
    let rest = value | 0;
    for (;;) {
      const byte = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && byte < 0x40) || (rest === -1 && byte >= 0x40)) {
        this.#bytes[this.#length++] = byte;
        return;
      }
      this.#bytes[this.#length++] = byte | 0x80;
    }
  }

  /** `source[start, end)`. */
  copy(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start;
    this.#reserve(count);
    // Edits lie close together in code, and a call into the runtime costs more than a few bytes.
    if (count < 48) {
      for (let i = start; i < end; i++) this.#bytes[this.#length++] = source[i]!;
      return;
    }
    this.#bytes.set(source.subarray(start, end), this.#length);
    this.#length += count;
  }

  /** A name: its length and its ASCII bytes. */
  asciiName(name: string): void {
    this.u32(name.length);
    for (let i = 0; i < name.length; i++) this.u8(name.charCodeAt(i));
  }

  /** What was written so far; a view that the next write may invalidate. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets everything, keeps the room. */
  clear(): void {
    this.#length = 0;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
