// An ordered map of byte strings, as a sorted array with binary search: small, and copied cheaply enough for
// frozen views and crashes.

export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export class SortedMap {
  #rows: Row[];

  constructor(rows: Row[] = []) {
    this.#rows = rows;
  }

  get size(): number {
    return this.#rows.length;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const row = this.#rows[this.#lowerBound(key)];
    return row !== undefined && Buffer.compare(row.key, key) === 0 ? row.value : undefined;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const at = this.#lowerBound(key);
    const row = this.#rows[at];
    const isThere = row !== undefined && Buffer.compare(row.key, key) === 0;
    this.#rows.splice(at, isThere ? 1 : 0, { key, value });
  }

  delete(key: Uint8Array): void {
    const at = this.#lowerBound(key);
    const row = this.#rows[at];
    if (row !== undefined && Buffer.compare(row.key, key) === 0) this.#rows.splice(at, 1);
  }

  /** The rows with keys in `[start, end)`, in order. */
  slice(start: Uint8Array, end: Uint8Array): Row[] {
    return this.#rows.slice(this.#lowerBound(start), this.#lowerBound(end));
  }

  /** All rows, in order. */
  rows(): readonly Row[] {
    return this.#rows;
  }

  copy(): SortedMap {
    return new SortedMap([...this.#rows]);
  }

  #lowerBound(key: Uint8Array): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(this.#rows[middle]!.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
