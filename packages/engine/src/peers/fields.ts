// Reads what another node sent, field by field, and believes nothing: each field has the type it must have, or
// the whole is malformed. Bytes share the frame they came in.

import { DeltabaseError } from '@deltabase/base';

export class Fields {
  readonly #list: readonly unknown[];
  #at = 0;

  /** Fields of `list`, which must be a list. */
  constructor(list: unknown) {
    if (!Array.isArray(list)) throw malformed();
    this.#list = list;
  }

  get left(): number {
    return this.#list.length - this.#at;
  }

  /** A whole number, at least 0. */
  whole(): number {
    const value = this.#list[this.#at++];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed();
    return value;
  }

  text(): string {
    const value = this.#list[this.#at++];
    if (typeof value !== 'string') throw malformed();
    return value;
  }

  flag(): boolean {
    const value = this.#list[this.#at++];
    if (typeof value !== 'boolean') throw malformed();
    return value;
  }

  bytes(): Uint8Array {
    const value = this.#list[this.#at++];
    if (!(value instanceof Uint8Array)) throw malformed();
    return value;
  }

  /** Bytes, or `undefined` where null was sent. */
  maybeBytes(): Uint8Array | undefined {
    if (this.#list[this.#at] !== null) return this.bytes();
    this.#at++;
    return undefined;
  }

  list(): readonly unknown[] {
    const value = this.#list[this.#at++];
    if (!Array.isArray(value)) throw malformed();
    return value;
  }

  /** A list of whole numbers. */
  wholes(): readonly number[] {
    const fields = this.nested();
    const numbers: number[] = [];
    while (fields.left > 0) numbers.push(fields.whole());
    return numbers;
  }

  /** The fields of a list inside. */
  nested(): Fields {
    return new Fields(this.#list[this.#at++]);
  }

  /** The fields of a list inside, or `undefined` where null was sent. */
  maybeNested(): Fields | undefined {
    if (this.#list[this.#at] !== null) return this.nested();
    this.#at++;
    return undefined;
  }

  /** A field of any kind. */
  any(): unknown {
    return this.#list[this.#at++];
  }

  /** Nothing may follow. */
  end(): void {
    if (this.left !== 0) throw malformed();
  }
}

/** What a peer sent is not what it should be. */
export function malformed(): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    'a peer sent a frame of an unknown version or form: run the same release on all nodes',
  );
}
