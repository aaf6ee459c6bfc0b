// An ordered map of byte strings that is copied for almost nothing: its rows lie in small chunks, and a copy shares
// them with its original until one of the two changes a chunk. Frozen views, iterators and crashes are such copies.

export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Whoever made a chunk may change it; all others make their own first. */
interface Chunk {
  readonly owner: object;
  readonly rows: Row[];
}

interface Place {
  readonly chunk: number;
  readonly at: number;
}

const CHUNK_ROWS_MAX = 64;

export class SortedMap {
  #owner = {};
  #chunks: Chunk[];
  #size: number;

  /** A map of `rows`, which are in order. */
  constructor(rows: readonly Row[] = []) {
    this.#chunks = [];
    for (let at = 0; at < rows.length; at += CHUNK_ROWS_MAX / 2) {
      const chunk = rows.slice(at, at + CHUNK_ROWS_MAX / 2);
      this.#chunks.push({ owner: this.#owner, rows: chunk });
    }
    this.#size = rows.length;
  }

  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const { chunk, at } = this.#lowerBound(key);
    const row = this.#chunks[chunk]?.rows[at];
    return row !== undefined && compareBytes(row.key, key) === 0 ? row.value : undefined;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const { chunk, at } = this.#lowerBound(key);
    const found = this.#chunks[chunk]?.rows[at];
    const isThere = found !== undefined && compareBytes(found.key, key) === 0;
    const rows = this.#ownRows(chunk);
    rows.splice(at, isThere ? 1 : 0, { key, value });
    if (isThere) return;
    this.#size++;
    if (rows.length <= CHUNK_ROWS_MAX) return;
    const half = rows.splice(CHUNK_ROWS_MAX / 2);
    this.#chunks.splice(chunk + 1, 0, { owner: this.#owner, rows: half });
  }

  delete(key: Uint8Array): void {
    const { chunk, at } = this.#lowerBound(key);
    const found = this.#chunks[chunk]?.rows[at];
    if (found === undefined || compareBytes(found.key, key) !== 0) return;
    const rows = this.#ownRows(chunk);
    rows.splice(at, 1);
    this.#size--;
    if (rows.length === 0) this.#chunks.splice(chunk, 1);
  }

  /** The row with so many before it. */
  row(number: number): Row | undefined {
    let before = 0;
    for (const { rows } of this.#chunks) {
      if (number < before + rows.length) return rows[number - before];
      before += rows.length;
    }
    return undefined;
  }

  /** The rows with keys in `[start, end)`, in order. */
  slice(start: Uint8Array, end: Uint8Array): Row[] {
    return this.walk(start, end).next(Infinity);
  }

  /** All rows, in order. */
  rows(): readonly Row[] {
    return this.#chunks.flatMap(({ rows }) => rows);
  }

  /** Walks the rows with keys in `[start, end)`, from the end if `reverse`. The map must not change meanwhile. */
  walk(start: Uint8Array, end: Uint8Array, { reverse = false } = {}): Walk {
    const chunks = this.#chunks.map(({ rows }) => rows);
    const [low, high] = [this.#lowerBound(start), this.#lowerBound(end)];
    if (!reverse) return new Walk(chunks, low, high, 1);
    return new Walk(chunks, before(chunks, high), before(chunks, low), -1);
  }

  copy(): SortedMap {
    const copy = new SortedMap();
    copy.#chunks = [...this.#chunks];
    copy.#size = this.#size;
    // Neither owns what there is.
    this.#owner = {};
    return copy;
  }

  #ownRows(chunk: number): Row[] {
    const found = this.#chunks[chunk];
    if (found?.owner === this.#owner) return found.rows;
    const rows = found === undefined ? [] : [...found.rows];
    this.#chunks[chunk] = { owner: this.#owner, rows };
    return rows;
  }

  /** Where `key` is, or would be. */
  #lowerBound(key: Uint8Array): Place {
    const chunks = this.#chunks;
    // The last chunk that begins at or before the key.
    let low = 0;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(chunks[middle]!.rows[0]!.key, key) <= 0) low = middle + 1;
      else high = middle;
    }
    const chunk = Math.max(0, low - 1);
    const rows = chunks[chunk]?.rows ?? [];
    low = 0;
    high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(rows[middle]!.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return { chunk, at: low };
  }
}

/** A way through some of a map's rows. */
export class Walk {
  readonly #chunks: ReadonlyArray<readonly Row[]>;
  readonly #step: 1 | -1;
  #left: number;
  #chunk: number;
  #at: number;

  constructor(chunks: ReadonlyArray<readonly Row[]>, from: Place, to: Place, step: 1 | -1) {
    this.#chunks = chunks;
    this.#step = step;
    this.#chunk = from.chunk;
    this.#at = from.at;
    this.#left = Math.max(0, step * (rank(chunks, to) - rank(chunks, from)));
  }

  /** Up to `count` more rows; none at the end. */
  next(count: number): Row[] {
    const rows: Row[] = [];
    const taken = Math.min(count, this.#left);
    while (rows.length < taken) {
      const row = this.#chunks[this.#chunk]?.[this.#at];
      if (row === undefined) {
        this.#chunk += this.#step;
        this.#at = this.#step > 0 ? 0 : this.#chunks[this.#chunk]!.length - 1;
      } else {
        rows.push(row);
        this.#at += this.#step;
      }
    }
    this.#left -= taken;
    return rows;
  }
}

/** The place before another one; before the first row: one that is not there. */
function before(chunks: ReadonlyArray<readonly Row[]>, { chunk, at }: Place): Place {
  if (at > 0 || chunk === 0) return { chunk, at: at - 1 };
  return { chunk: chunk - 1, at: chunks[chunk - 1]!.length - 1 };
}

/** How many rows are before a place. */
function rank(chunks: ReadonlyArray<readonly Row[]>, { chunk, at }: Place): number {
  let rows = at;
  for (let each = 0; each < chunk; each++) rows += chunks[each]!.length;
  return rows;
}

/** Below, at or above 0 as `a` is before, equal to or behind `b`; a prefix comes first, as with memcmp. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = a[at]! - b[at]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
