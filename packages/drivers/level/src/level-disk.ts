// The Disk port on LevelDB. It trusts nothing that LevelDB 1.20 does not keep under faults (RAFT.md section
// 4): every batch is synced, one is in flight, every value is sealed with a checksum, lost batches are found when
// it opens, and the first failure of any kind ends it: the fatal handler is called once and nothing completes
// any more, because a database that failed once acknowledges batches that it will lose.

import { assert, DeltabaseError } from '@deltabase/base';
import type { Disk, DiskOperation, DiskRange, DiskReader, DiskRow } from '@deltabase/engine';
import { type BatchRing, RING_SLOTS, readRing } from './batch-ring.js';
import { seal, unseal } from './sealed.js';
import type { Store, StoreIterator, StoreOperation, StoreSnapshot } from './store.js';
import type { Witness } from './witness.js';

export interface LevelDiskOptions {
  /** Called at the first failed write, damaged row or other I/O error. The process must stop. */
  readonly fatal: (error: DeltabaseError) => void;
  /** How often free and used space are measured; 0: only at opening. */
  readonly measureIntervalMs: number;
  /** Knows what was acknowledged, whatever happens to the store. Without it the newest batches may be lost unseen. */
  readonly witness?: Witness;
  /** Batches among which a hole is found; fewer only in tests. */
  readonly ringSlots?: number;
}

/** The Disk, and how to let go of its files. */
export interface LevelDisk extends Disk {
  /** Waits for the write in flight, then closes the database and the witness. */
  close(): Promise<void>;
}

/**
 * Rows asked of LevelDB at once, the first time and at most: it makes room for so many, and keeps it until the
 * iterator is collected as garbage, which may be a hundred thousand small reads later.
 */
const ROWS_FIRST = 8;
const ROWS_AT_ONCE = 256;

/** Makes the Disk on an open store. Throws DATA_CORRUPT if the store lost a batch. */
export async function openLevelDisk(store: Store, options: LevelDiskOptions): Promise<LevelDisk> {
  const { witness, ringSlots: slots = RING_SLOTS, fatal } = options;
  const ring = await readRing(store, { slots, acknowledged: witness?.counter ?? 0 });
  witness?.write(ring.counter);
  const disk = new StoreDisk(store, { ring, witness, fatal });
  await disk.measure();
  if (options.measureIntervalMs > 0) disk.measureEvery(options.measureIntervalMs);
  return disk;
}

interface DiskParts {
  readonly ring: BatchRing;
  readonly witness: Witness | undefined;
  readonly fatal: (error: DeltabaseError) => void;
}

class StoreDisk implements LevelDisk {
  readonly #store: Store;
  readonly #ring: BatchRing;
  readonly #witness: Witness | undefined;
  readonly #fatal: (error: DeltabaseError) => void;
  #failed = false;
  #writing: Promise<void> | undefined;
  #space = { freeBytes: 0, usedBytes: 0 };
  #measuring: ReturnType<typeof setInterval> | undefined;

  constructor(store: Store, { ring, witness, fatal }: DiskParts) {
    this.#store = store;
    this.#ring = ring;
    this.#witness = witness;
    this.#fatal = fatal;
  }

  write(batch: readonly DiskOperation[], done: () => void): void {
    if (this.#failed) return;
    assert(this.#writing === undefined, 'one batch is in flight at a time');
    const operations: StoreOperation[] = [this.#ring.mark()];
    for (const operation of batch) operations.push(toStored(operation));
    this.#writing = this.#settle(this.#writeDurably(operations), () => {
      this.#writing = undefined;
      done();
    });
  }

  async #writeDurably(operations: StoreOperation[]): Promise<void> {
    await this.#store.writeSynced(operations);
    this.#witness?.write(this.#ring.counter);
  }

  get(key: Uint8Array, done: (value: Uint8Array | undefined) => void): void {
    this.#get(key, undefined, done);
  }

  range(range: DiskRange, done: (rows: readonly DiskRow[], more: boolean) => void): void {
    this.#range(range, undefined, done);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.#verified(key, this.#store.getSync(key));
    } catch (thrown) {
      this.#fail(thrown);
      throw thrown;
    }
  }

  freeze(): DiskReader & { close(): void } {
    const snapshot = this.#store.snapshot();
    return {
      get: (key, done) => this.#get(key, snapshot, done),
      range: (range, done) => this.#range(range, snapshot, done),
      close: () => void this.#settle(snapshot.close(), () => {}),
    };
  }

  compact(start: Uint8Array, end: Uint8Array, done: () => void): void {
    void this.#settle(this.#store.compact(start, end), done);
  }

  space(): { freeBytes: number; usedBytes: number } {
    return this.#space;
  }

  async measure(): Promise<void> {
    this.#space = await this.#store.measure();
  }

  measureEvery(intervalMs: number): void {
    this.#measuring = setInterval(() => {
      void this.#settle(this.measure(), () => {});
    }, intervalMs);
    this.#measuring.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#measuring);
    await this.#writing;
    this.#failed = true;
    await this.#store.close();
    this.#witness?.close();
  }

  #get(
    key: Uint8Array,
    snapshot: StoreSnapshot | undefined,
    done: (value: Uint8Array | undefined) => void,
  ): void {
    const read = this.#store.get(key, snapshot).then((sealed) => this.#verified(key, sealed));
    void this.#settle(read, done);
  }

  #range(
    range: DiskRange,
    snapshot: StoreSnapshot | undefined,
    done: (rows: readonly DiskRow[], more: boolean) => void,
  ): void {
    void this.#settle(this.#readRange(range, snapshot), ({ rows, more }) => done(rows, more));
  }

  async #readRange(
    range: DiskRange,
    snapshot: StoreSnapshot | undefined,
  ): Promise<{ rows: DiskRow[]; more: boolean }> {
    const iterator = this.#store.iterate({
      gte: range.start,
      lt: range.end,
      reverse: range.reverse ?? false,
      limit: -1,
      snapshot,
    });
    try {
      return await this.#collect(iterator, range.rowsMax ?? Infinity, range.bytesMax ?? Infinity);
    } finally {
      await iterator.close();
    }
  }

  /** At least one row if there is any, then as many as both maxima allow. */
  async #collect(
    iterator: StoreIterator,
    rowsMax: number,
    bytesMax: number,
  ): Promise<{ rows: DiskRow[]; more: boolean }> {
    const rows: DiskRow[] = [];
    let atOnce = ROWS_FIRST;
    for (let bytes = 0; ; ) {
      const next = await iterator.nextv(Math.min(atOnce, rowsMax - rows.length + 1));
      atOnce = Math.min(2 * atOnce, ROWS_AT_ONCE);
      if (next.length === 0) return { rows, more: false };
      for (const [key, sealed] of next) {
        if (rows.length === rowsMax || bytes >= bytesMax) return { rows, more: true };
        const value = this.#verified(key, sealed)!;
        rows.push({ key, value });
        bytes += key.length + value.length;
      }
    }
  }

  #verified(key: Uint8Array, sealed: Uint8Array | undefined): Uint8Array | undefined {
    if (sealed === undefined) return undefined;
    const value = unseal(key, sealed);
    if (value !== undefined) return value;
    throw new DeltabaseError(
      'DATA_CORRUPT',
      `the row ${Buffer.from(key).toString('hex')} fails its checksum: replace this node by a fresh one`,
    );
  }

  /** Hands the result on, unless the disk has failed by then; a rejection fails it for good. */
  async #settle<T>(work: Promise<T>, done: (result: T) => void): Promise<void> {
    let result: T;
    try {
      result = await work;
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    if (!this.#failed) done(result);
  }

  #fail(thrown: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    const reason = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
    const error =
      thrown instanceof DeltabaseError
        ? thrown
        : new DeltabaseError('DATA_CORRUPT', `storage failed: ${String(reason)}`, {
            cause: thrown,
          });
    this.#fatal(error);
  }
}

function toStored(operation: DiskOperation): StoreOperation {
  const { kind, key } = operation;
  return kind === 'put'
    ? { type: 'put', key, value: seal(key, operation.value) }
    : { type: 'del', key };
}
