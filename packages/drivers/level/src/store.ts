// What the driver needs of LevelDB: the part of classic-level's interface that it uses, so that the same
// driver runs on the simulated LevelDB of the testkit, faults and all.

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

/** A consistent view; must be closed. */
export interface StoreSnapshot {
  close(): Promise<void>;
}

/** Walks a range. */
export interface StoreIterator {
  /** Up to `count` more rows; an empty list at the end. */
  nextv(count: number): Promise<Array<[Uint8Array, Uint8Array]>>;
  close(): Promise<void>;
}

/** An ordered map of byte strings with atomic batches. Every write is synced: there is no other way. */
export interface Store {
  writeSynced(operations: StoreOperation[]): Promise<void>;
  get(key: Uint8Array, snapshot: StoreSnapshot | undefined): Promise<Uint8Array | undefined>;
  getSync(key: Uint8Array): Uint8Array | undefined;
  iterate(range: StoreRange): StoreIterator;
  snapshot(): StoreSnapshot;
  compact(start: Uint8Array, end: Uint8Array): Promise<void>;
  /** Bytes free on the file system and bytes the files of the store take. */
  measure(): Promise<{ readonly freeBytes: number; readonly usedBytes: number }>;
  close(): Promise<void>;
}
