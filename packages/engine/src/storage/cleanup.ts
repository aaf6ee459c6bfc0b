// Tidying that may happen at any time and never in the way: rows of generations that are not used, and the
// space of deleted log entries, which LevelDB keeps until it is asked to compact (RAFT.md section 4, fact 11).

import type { Disk, DiskOperation, DiskRow } from '../ports.js';
import { type Task, wait } from '../task.js';
import { entryRange, type KeyRange, rowsRange } from './keys.js';

const ROWS_AT_ONCE = 500;
const COMPACT_ENTRIES_MIN = 5000;
const GENERATION_MAX = 2 ** 32 - 2;

/** Removes the rows of every generation of `group` but the one in use. */
export function* removeOtherGenerations(
  disk: Disk,
  group: number,
  inUse: number,
  write: (operations: readonly DiskOperation[], done: () => void) => void,
): Task<void> {
  const used = rowsRange(group, inUse);
  yield* removeRange(disk, { start: rowsRange(group, 0).start, end: used.start }, write);
  const rest = { start: used.end, end: rowsRange(group, GENERATION_MAX).end };
  yield* removeRange(disk, rest, write);
}

function* removeRange(
  disk: Disk,
  range: KeyRange,
  write: (operations: readonly DiskOperation[], done: () => void) => void,
): Task<void> {
  for (;;) {
    const page = { ...range, rowsMax: ROWS_AT_ONCE };
    const rows = yield* wait<readonly DiskRow[]>((done) => disk.range(page, done));
    if (rows.length === 0) return;
    const operations: DiskOperation[] = rows.map(({ key }) => ({ kind: 'del', key }));
    yield* wait<void>((done) => write(operations, () => done()));
  }
}

/** Asks the disk to compact a group's log once enough of it was deleted; one group at a time. */
export class LogCompactor {
  readonly #disk: Disk;
  readonly #inTurn: (step: () => void) => void;
  readonly #deleted = new Map<number, number>();
  #busy = false;

  constructor(disk: Disk, inTurn: (step: () => void) => void) {
    this.#disk = disk;
    this.#inTurn = inTurn;
  }

  /** `entries` entries of the group's log were deleted. */
  deleted(group: number, entries: number): void {
    this.#deleted.set(group, (this.#deleted.get(group) ?? 0) + entries);
    this.#next();
  }

  #next(): void {
    if (this.#busy) return;
    for (const [group, entries] of this.#deleted) {
      if (entries < COMPACT_ENTRIES_MIN) continue;
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
