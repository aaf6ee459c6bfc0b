// Tidying that may happen at any time and never in the way: rows of generations that are not used any more,
// and the space of deleted rows, which LevelDB keeps until it is asked to compact (RAFT.md section 4, fact 11).

import type { Disk, DiskOperation, DiskRow } from '../ports.js';
import { type Task, wait } from '../task.js';
import { entryRange, type KeyRange, keyAfter } from './keys.js';

const ROWS_AT_ONCE = 500;
const BYTES_AT_ONCE = 1024 * 1024;
/** Less is not worth a pass over the files of a group's log. */
const COMPACT_BYTES_MIN = 4 * 1024 * 1024;

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

/** Asks the disk to compact a group's log once enough of it was deleted; one group at a time. */
export class LogCompactor {
  readonly #disk: Disk;
  readonly #inTurn: (step: () => void) => void;
  /** By group, bytes that were deleted since it was compacted. */
  readonly #deleted = new Map<number, number>();
  #busy = false;

  constructor(disk: Disk, inTurn: (step: () => void) => void) {
    this.#disk = disk;
    this.#inTurn = inTurn;
  }

  /** Entries of so many bytes were deleted from the group's log. */
  deleted(group: number, bytes: number): void {
    this.#deleted.set(group, (this.#deleted.get(group) ?? 0) + bytes);
    this.#next();
  }

  #next(): void {
    if (this.#busy) return;
    for (const [group, bytes] of this.#deleted) {
      if (bytes < COMPACT_BYTES_MIN) continue;
      this.#deleted.delete(group);
      this.#busy = true;
      const { start, end } = entryRange(group, 0, Number.MAX_SAFE_INTEGER);
      this.#disk.compact(start, end, () =>
        this.#inTurn(() => {
          this.#busy = false;
          this.#next();
        }),
      );
      return;
    }
  }
}
