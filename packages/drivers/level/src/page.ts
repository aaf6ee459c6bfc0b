// One answer of the Disk port to a range: rows are taken from an iterator, a few at a time, each held against its
// checksum, until a maximum is reached or the range ends.

import type { DiskRow } from '@deltabase/engine';
import { verified } from './sealed.js';
import type { Failed, StoreIterator, StoreRow } from './store.js';

/**
 * Rows asked of LevelDB at once, the first time and at most: it makes room for so many, and keeps it until the
 * iterator is collected as garbage, which may be a hundred thousand small reads later.
 */
const ROWS_FIRST = 8;
const ROWS_AT_ONCE = 256;

/** Rows of a range, gathered until it ends or a maximum is reached: at least one if there is any. */
export class Page {
  readonly rows: DiskRow[] = [];
  /** Whether there are rows behind these. */
  more = false;
  readonly #iterator: StoreIterator;
  readonly #rowsMax: number;
  readonly #bytesMax: number;
  #bytes = 0;
  #atOnce = ROWS_FIRST;

  constructor(iterator: StoreIterator, rowsMax: number, bytesMax: number) {
    this.#iterator = iterator;
    this.#rowsMax = rowsMax;
    this.#bytesMax = bytesMax;
  }

  next(done: (rows: readonly StoreRow[]) => void, failed: Failed): void {
    const count = Math.min(this.#atOnce, this.#rowsMax - this.rows.length + 1);
    this.#atOnce = Math.min(2 * this.#atOnce, ROWS_AT_ONCE);
    this.#iterator.next(count, done, failed);
  }

  /** Takes the next rows; `true`: no more are needed. Throws DATA_CORRUPT. */
  add(rows: readonly StoreRow[]): boolean {
    for (const [key, sealed] of rows) {
      this.more = this.rows.length === this.#rowsMax || this.#bytes >= this.#bytesMax;
      if (this.more) return true;
      const value = verified(key, sealed)!;
      this.rows.push({ key, value });
      this.#bytes += key.length + value.length;
    }
    return rows.length === 0;
  }

  close(): void {
    this.#iterator.close();
  }
}
