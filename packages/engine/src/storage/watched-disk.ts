// The Disk of a node, which knows what it was asked to read and has not answered: a disk can hang on reads alone
// (disk-watch.ts). Passes compact and synchronous reads on: the first may take long, the second hold up everything.

import type { Disk, DiskOperation, DiskRange, DiskReader, DiskRow } from '../ports.js';

type ValueRead = (value: Uint8Array | undefined) => void;
type RowsRead = (rows: readonly DiskRow[], more: boolean) => void;

export class WatchedDisk implements Disk {
  readonly #disk: Disk;
  /** Numbers of the reads under way, the oldest first. */
  readonly #reads = new Set<number>();
  #lastRead = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The number of the read that is under way for longest; 0: none is. */
  get oldestRead(): number {
    for (const oldest of this.#reads) return oldest;
    return 0;
  }

  write(batch: readonly DiskOperation[], done: () => void): void {
    this.#disk.write(batch, done);
  }

  get(key: Uint8Array, done: ValueRead): void {
    this.#get(this.#disk, key, done);
  }

  range(range: DiskRange, done: RowsRead): void {
    this.#range(this.#disk, range, done);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#disk.getSync(key);
  }

  freeze(): DiskReader & { close(): void } {
    const view = this.#disk.freeze();
    return {
      get: (key, done) => this.#get(view, key, done),
      range: (range, done) => this.#range(view, range, done),
      close: () => view.close(),
    };
  }

  compact(start: Uint8Array, end: Uint8Array, done: () => void): void {
    this.#disk.compact(start, end, done);
  }

  space(): { readonly freeBytes: number; readonly usedBytes: number } {
    return this.#disk.space();
  }

  #get(reader: DiskReader, key: Uint8Array, done: ValueRead): void {
    const read = this.#begun();
    reader.get(key, (value) => {
      this.#reads.delete(read);
      done(value);
    });
  }

  #range(reader: DiskReader, range: DiskRange, done: RowsRead): void {
    const read = this.#begun();
    reader.range(range, (rows, more) => {
      this.#reads.delete(read);
      done(rows, more);
    });
  }

  #begun(): number {
    const read = ++this.#lastRead;
    this.#reads.add(read);
    return read;
  }
}
