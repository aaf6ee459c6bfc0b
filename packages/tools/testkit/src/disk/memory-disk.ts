// The Disk port in memory: atomic batches with a delay, frozen views, and the loss of whatever was not
// acknowledged when its node crashes.

import type { Disk, DiskOperation, DiskRange, DiskReader, DiskRow } from '@deltabase/engine';
import { type DiskCall, type DiskDelay, DiskHang } from './disk-hang.js';
import { SortedMap } from './sorted-map.js';

export interface MemoryDiskOptions {
  readonly later: DiskDelay;
}

export class MemoryDisk implements Disk {
  readonly #later: DiskDelay;
  readonly #hang = new DiskHang();
  #map: SortedMap;
  #inFlight: readonly DiskOperation[] | undefined;
  #failing: (() => void) | undefined;
  #failed = false;
  #freeBytes = 2 ** 40;

  constructor(options: MemoryDiskOptions, map = new SortedMap()) {
    this.#later = this.#hang.around(options.later);
    this.#map = map;
  }

  /** What is durable: give it to the disk of the node's next life. */
  get durable(): SortedMap {
    return this.#map;
  }

  /**
   * The node crashes while a batch may be in flight: it is on stable storage all the same, though nobody was
   * told. Without this call it is lost. Returns the batch.
   */
  completeInFlight(): readonly DiskOperation[] | undefined {
    const batch = this.#inFlight;
    if (batch !== undefined) this.#apply(batch);
    this.#inFlight = undefined;
    return batch;
  }

  /** The next write fails: `fatal` is called, once, and from then on nothing completes. `undefined`: it will not. */
  failNextWrite(fatal: (() => void) | undefined): void {
    this.#failing = fatal;
  }

  /** The disk hangs: nothing of these kinds ends until `release`. */
  hold(kinds: readonly DiskCall[]): void {
    this.#hang.hold(kinds);
  }

  release(): void {
    this.#hang.release();
  }

  write(batch: readonly DiskOperation[], done: () => void): void {
    if (this.#inFlight !== undefined) throw new Error('one batch is in flight at a time');
    this.#inFlight = batch;
    const complete = (): void => {
      if (this.#failing !== undefined) {
        const fatal = this.#failing;
        this.#failing = undefined;
        this.#failed = true;
        this.#inFlight = undefined;
        fatal();
      }
      if (this.#failed) return;
      this.completeInFlight();
      done();
    };
    this.#later('write', complete);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#map.get(key);
  }

  get(key: Uint8Array, done: (value: Uint8Array | undefined) => void): void {
    this.#later('read', () => {
      if (!this.#failed) done(this.#map.get(key));
    });
  }

  range(range: DiskRange, done: (rows: readonly DiskRow[], more: boolean) => void): void {
    this.#later('read', () => {
      if (!this.#failed) readRange(this.#map, range, done);
    });
  }

  freeze(): DiskReader & { close(): void } {
    const map = this.#map;
    return {
      get: (key, done) => this.#later('read', () => done(map.get(key))),
      range: (range, done) => this.#later('read', () => readRange(map, range, done)),
      close() {},
    };
  }

  compact(_start: Uint8Array, _end: Uint8Array, done: () => void): void {
    this.#later('read', done);
  }

  /** Has `space` say that so much is left. */
  setFreeBytes(bytes: number): void {
    this.#freeBytes = bytes;
  }

  space(): { freeBytes: number; usedBytes: number } {
    return { freeBytes: this.#freeBytes, usedBytes: 0 };
  }

  #apply(batch: readonly DiskOperation[]): void {
    const next = this.#map.copy();
    for (const operation of batch) {
      if (operation.kind === 'put') next.put(operation.key.slice(), operation.value.slice());
      else next.delete(operation.key);
    }
    this.#map = next;
  }
}

function readRange(
  map: SortedMap,
  range: DiskRange,
  done: (rows: readonly DiskRow[], more: boolean) => void,
): void {
  const { start, end, reverse = false, rowsMax = Infinity, bytesMax = Infinity } = range;
  const walk = map.walk(start, end, { reverse });
  const rows: DiskRow[] = [];
  for (let bytes = 0; ; ) {
    const [row] = walk.next(1);
    const isFull = rows.length === rowsMax || (rows.length > 0 && bytes >= bytesMax);
    if (row === undefined || isFull) {
      done(rows, row !== undefined);
      return;
    }
    rows.push(row);
    bytes += row.key.length + row.value.length;
  }
}
