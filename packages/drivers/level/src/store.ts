// What the driver needs of LevelDB: the part of classic-level's interface that it uses, so that the same
// driver runs on the simulated LevelDB of the testkit, faults and all. It has no promises, so that a seed fixes the
// order of everything there.

/** A key range as classic-level takes it. */
export interface StoreRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly reverse: boolean;
  readonly limit: number;
  readonly snapshot: StoreSnapshot | undefined;
}

/** One operation of an atomic batch. */
export type StoreOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** Called in place of the result, once, with what went wrong. */
export type Failed = (error: unknown) => void;

/** A consistent view; must be closed. */
export interface StoreSnapshot {
  close(): void;
}

/** A key and its value. */
export type StoreRow = readonly [key: Uint8Array, value: Uint8Array];

/** Walks a range. */
export interface StoreIterator {
  /** Up to `count` more rows; an empty list at the end. */
  next(count: number, done: (rows: readonly StoreRow[]) => void, failed: Failed): void;
  close(): void;
}

/**
 * An ordered map of byte strings with atomic batches. Every write is synced: there is no other way. Calls back
 * once for each call, either way, and never from inside of it.
 */
export interface Store {
  writeSynced(operations: readonly StoreOperation[], done: () => void, failed: Failed): void;
  get(
    key: Uint8Array,
    snapshot: StoreSnapshot | undefined,
    done: (value: Uint8Array | undefined) => void,
    failed: Failed,
  ): void;
  getSync(key: Uint8Array): Uint8Array | undefined;
  iterate(range: StoreRange): StoreIterator;
  snapshot(): StoreSnapshot;
  compact(start: Uint8Array, end: Uint8Array, done: () => void, failed: Failed): void;
  measure(done: (space: StoreSpace) => void, failed: Failed): void;
  close(done: () => void, failed: Failed): void;
}

/** Bytes free on the file system and bytes the files of the store take. */
export interface StoreSpace {
  readonly freeBytes: number;
  readonly usedBytes: number;
}
