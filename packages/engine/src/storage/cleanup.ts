// Tidying that may happen at any time and never in the way: rows of generations that are not used any more,
// and the space of deleted rows, which LevelDB keeps until it is asked to compact (docs/leveldb.md, fact 11).

import type { Disk, DiskOperation, DiskRow } from '../ports.js';
import { type Task, wait } from '../task.js';
import { ALL_ENTRIES, type KeyRange, keyAfter } from './keys.js';

const ROWS_AT_ONCE = 500;
const BYTES_AT_ONCE = 1024 * 1024;
/** Less is not worth a pass over the files: LevelDB drops most of what was deleted by itself in time. */
const COMPACT_BYTES_MIN = 512 * 1024 * 1024;

/** Removes the rows of `range`, into which nobody writes any more, and gives their space back. */
export function* removeRows(
  disk: Disk,
  range: KeyRange,
  write: (operations: readonly DiskOperation[], done: () => void) => void,
): Task<void> {
  let { start } = range;
  let removed = 0;
  for (let more = true; more; ) {
    const page = { start, end: range.end, rowsMax: ROWS_AT_ONCE, bytesMax: BYTES_AT_ONCE };
    const found = yield* wait<{ rows: readonly DiskRow[]; more: boolean }>((done) =>
      disk.range(page, (rows, isMore) => done({ rows, more: isMore })),
    );
    if (found.rows.length === 0) break;
    more = found.more;
    start = keyAfter(found.rows.at(-1)!.key);
    removed += found.rows.length;
    const operations: DiskOperation[] = found.rows.map(({ key }) => ({ kind: 'del', key }));
    yield* wait<void>((done) => write(operations, () => done()));
  }
  if (removed > 0) yield* wait<void>((done) => disk.compact(range.start, range.end, () => done()));
}

/**
 * Asks the disk to compact the log once enough of it was deleted, all groups' at once: every pass also rewrites
 * what was written lately, whatever it is, so a pass for each group would cost more than the messages do.
 */
export class LogCompactor {
  readonly #disk: Disk;
  readonly #inTurn: (step: () => void) => void;
  /** Bytes that were deleted since the last pass began. */
  #deletedBytes = 0;
  #busy = false;

  constructor(disk: Disk, inTurn: (step: () => void) => void) {
    this.#disk = disk;
    this.#inTurn = inTurn;
  }

  /** Entries of so many bytes were deleted from a group's log. */
  deleted(bytes: number): void {
    this.#deletedBytes += bytes;
    this.#next();
  }

  #next(): void {
    if (this.#busy || this.#deletedBytes < COMPACT_BYTES_MIN) return;
    this.#deletedBytes = 0;
    this.#busy = true;
    this.#disk.compact(ALL_ENTRIES.start, ALL_ENTRIES.end, () =>
      this.#inTurn(() => {
        this.#busy = false;
        this.#next();
      }),
    );
  }
}
