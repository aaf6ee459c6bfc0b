// The Disk port on LevelDB. It trusts nothing that LevelDB 1.20 does not keep under faults (docs/leveldb.md):
// every batch is synced, one is in flight, every value is sealed with a checksum, lost batches are found when it
// opens, and the first failure of any kind ends it: the fatal handler is called once and nothing completes any
// more, because a database that failed once acknowledges batches that it will lose.

import { assert, DeltabaseError } from '@deltabase/base';
import type { Disk, DiskOperation, DiskRange, DiskReader, DiskRow } from '@deltabase/engine';
import { type BatchRing, RING_SLOTS, readRing } from './batch-ring.js';
import { Page } from './page.js';
import { seal, verified } from './sealed.js';
import type { Store, StoreOperation, StoreRow, StoreSnapshot, StoreSpace } from './store.js';
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
  /** Measures free and used space anew. */
  measure(done: () => void): void;
  /** Waits for the write in flight, then closes the database and the witness. */
  close(): Promise<void>;
}

/** Makes the Disk on an open store. Rejects with DATA_CORRUPT if the store lost a batch. */
export function openLevelDisk(store: Store, options: LevelDiskOptions): Promise<LevelDisk> {
  return new Promise((resolve, reject) => {
    startLevelDisk(store, options, (disk) => {
      if (disk instanceof DeltabaseError) reject(disk);
      else resolve(disk);
    });
  });
}

/** The same for who must not use promises, as a simulation: `started` gets the Disk, or why there is none. */
export function startLevelDisk(
  store: Store,
  options: LevelDiskOptions,
  started: (disk: LevelDisk | DeltabaseError) => void,
): void {
  const { fatal, witness, ringSlots: slots = RING_SLOTS, measureIntervalMs } = options;
  const failed = (thrown: unknown): void => started(errorOf(thrown));
  const make = (ring: BatchRing): void => {
    try {
      witness?.write(ring.counter);
    } catch (thrown) {
      failed(thrown);
      return;
    }
    store.measure((space) => {
      const disk = new StoreDisk(store, { ring, witness, fatal, space });
      if (measureIntervalMs > 0) disk.measureEvery(measureIntervalMs);
      started(disk);
    }, failed);
  };
  readRing(store, { slots, acknowledged: witness?.counter ?? 0 }, make, failed);
}

interface DiskParts {
  readonly ring: BatchRing;
  readonly witness: Witness | undefined;
  readonly fatal: (error: DeltabaseError) => void;
  readonly space: StoreSpace;
}

class StoreDisk implements LevelDisk {
  readonly #store: Store;
  readonly #ring: BatchRing;
  readonly #witness: Witness | undefined;
  readonly #fatal: (error: DeltabaseError) => void;
  #failed = false;
  #writing = false;
  /** Waits for the write in flight, to close the store. */
  #written: (() => void) | undefined;
  #space: StoreSpace;
  #measuring: ReturnType<typeof setInterval> | undefined;

  constructor(store: Store, { ring, witness, fatal, space }: DiskParts) {
    this.#store = store;
    this.#ring = ring;
    this.#witness = witness;
    this.#fatal = fatal;
    this.#space = space;
  }

  write(batch: readonly DiskOperation[], done: () => void): void {
    if (this.#failed) return;
    assert(!this.#writing, 'one batch is in flight at a time');
    const operations: StoreOperation[] = [this.#ring.mark()];
    for (const operation of batch) operations.push(toStored(operation));
    this.#writing = true;
    const ended = (): void => {
      this.#writing = false;
      this.#written?.();
    };
    this.#store.writeSynced(
      operations,
      () => {
        ended();
        if (!this.#failed && this.#isWitnessed()) done();
      },
      (error) => {
        ended();
        this.#fail(error);
      },
    );
  }

  /** Remembers that the batch in flight counts as durable from now on. */
  #isWitnessed(): boolean {
    try {
      this.#witness?.write(this.#ring.counter);
      return true;
    } catch (thrown) {
      this.#fail(thrown);
      return false;
    }
  }

  get(key: Uint8Array, done: (value: Uint8Array | undefined) => void): void {
    this.#get(key, undefined, done);
  }

  range(range: DiskRange, done: (rows: readonly DiskRow[], more: boolean) => void): void {
    this.#range(range, undefined, done);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    try {
      return verified(key, this.#store.getSync(key));
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
      close: () => snapshot.close(),
    };
  }

  compact(start: Uint8Array, end: Uint8Array, done: () => void): void {
    this.#store.compact(start, end, this.#unlessFailed(done), this.#fail);
  }

  space(): StoreSpace {
    return this.#space;
  }

  measure(done: () => void): void {
    const measured = this.#unlessFailed((space: StoreSpace) => {
      this.#space = space;
      done();
    });
    this.#store.measure(measured, this.#fail);
  }

  measureEvery(intervalMs: number): void {
    this.#measuring = setInterval(() => this.measure(() => {}), intervalMs);
    this.#measuring.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#measuring);
    if (this.#writing) {
      await new Promise<void>((resolve) => {
        this.#written = resolve;
      });
    }
    this.#failed = true;
    await new Promise<void>((resolve, reject) => this.#store.close(resolve, reject));
    this.#witness?.close();
  }

  #get(
    key: Uint8Array,
    snapshot: StoreSnapshot | undefined,
    done: (value: Uint8Array | undefined) => void,
  ): void {
    const read = this.#verifying((sealed: Uint8Array | undefined) => verified(key, sealed), done);
    this.#store.get(key, snapshot, read, this.#fail);
  }

  #range(
    { start, end, reverse = false, rowsMax = Infinity, bytesMax = Infinity }: DiskRange,
    snapshot: StoreSnapshot | undefined,
    done: (rows: readonly DiskRow[], more: boolean) => void,
  ): void {
    const range = { gte: start, lt: end, reverse, limit: -1, snapshot };
    const page = new Page(this.#store.iterate(range), rowsMax, bytesMax);
    const failed = (error: unknown): void => {
      page.close();
      this.#fail(error);
    };
    const next = this.#verifying(
      (rows: readonly StoreRow[]) => page.add(rows),
      (isFull) => {
        if (!isFull) {
          page.next(next, failed);
          return;
        }
        page.close();
        done(page.rows, page.more);
      },
    );
    page.next(next, failed);
  }

  /** Calls `done` unless the disk has failed by then. */
  #unlessFailed<Args extends unknown[]>(done: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      if (!this.#failed) done(...args);
    };
  }

  /** Calls `done` with what `read` makes of a result; a damaged row fails the disk for good. */
  #verifying<T, R>(read: (result: T) => R, done: (value: R) => void): (result: T) => void {
    return this.#unlessFailed((result) => {
      let value: R;
      try {
        value = read(result);
      } catch (thrown) {
        this.#fail(thrown);
        return;
      }
      done(value);
    });
  }

  readonly #fail = (thrown: unknown): void => {
    if (this.#failed) return;
    this.#failed = true;
    this.#fatal(errorOf(thrown));
  };
}

function errorOf(thrown: unknown): DeltabaseError {
  if (thrown instanceof DeltabaseError) return thrown;
  const reason = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  return new DeltabaseError('DATA_CORRUPT', `storage failed: ${String(reason)}`, { cause: thrown });
}

function toStored(operation: DiskOperation): StoreOperation {
  const { kind, key } = operation;
  return kind === 'put'
    ? { type: 'put', key, value: seal(key, operation.value) }
    : { type: 'del', key };
}
