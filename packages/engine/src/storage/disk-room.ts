// Stops in time before the disk is full: a failed write ends the process, and a database without room cannot even
// tidy up. With little room left this node proposes nothing and is not made a leader if another can be; with half of
// that it takes nothing from leaders either. Elections, reads, flushing and compaction go on.

import type { Disk, Log } from '../ports.js';

export interface DiskRoomOptions {
  readonly disk: Pick<Disk, 'space'>;
  readonly log: Log;
  readonly freeBytesMin: number;
  /** There is little room, or enough again. */
  readonly changed: () => void;
}

/** There is enough room again when there is so much more than the least. */
const SPARE_FACTOR = 1.125;

export class DiskRoom {
  readonly #options: DiskRoomOptions;
  #freeBytes = Infinity;
  #isLow = false;

  constructor(options: DiskRoomOptions) {
    this.#options = options;
  }

  /** Bytes that were left at the last check. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Whether there is so little room that nothing must be proposed here. */
  get isLow(): boolean {
    return this.#isLow;
  }

  /** Whether there is so little that nothing more must come from leaders. */
  get isSpent(): boolean {
    return this.#freeBytes < this.#options.freeBytesMin / 2;
  }

  /** Looks at what was measured last. */
  check(): void {
    const { disk, log, freeBytesMin, changed } = this.#options;
    const { freeBytes } = disk.space();
    this.#freeBytes = freeBytes;
    const isLow = freeBytes < freeBytesMin * (this.#isLow ? SPARE_FACTOR : 1);
    if (isLow === this.#isLow) return;
    this.#isLow = isLow;
    if (isLow) log.error('disk-low', { freeBytes, freeBytesMin });
    else log.info('disk-has-room', { freeBytes, freeBytesMin });
    changed();
  }
}
