// Notices a disk that does not answer: a node that can make nothing durable, or read nothing, must not lead, or its
// groups stand still for as long as its heartbeats go on (docs/raft.md, pitfall 22). Counted in the ticks this process
// was awake for, so that a process that stood still does not blame its disk.

import type { DurableWriter } from './durable-writer.js';
import type { WatchedDisk } from './watched-disk.js';

export interface DiskWatchOptions {
  readonly writer: Pick<DurableWriter, 'inFlight'>;
  readonly disk: Pick<WatchedDisk, 'oldestRead'>;
  /** A write or a read that takes so long does not come back soon. */
  readonly ticksMax: number;
  /** The disk has stopped answering, or answers again. */
  readonly changed: (isStalled: boolean) => void;
}

export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #write = new Wait();
  readonly #read = new Wait();
  #isStalled = false;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** Whether the oldest write or read has been on its way for too long. */
  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** So many ticks have passed. */
  tick(ticks: number): void {
    const { writer, disk, ticksMax, changed } = this.#options;
    this.#write.tick(writer.inFlight, ticks);
    this.#read.tick(disk.oldestRead, ticks);
    const isStalled = Math.max(this.#write.ticks, this.#read.ticks) >= ticksMax;
    if (isStalled === this.#isStalled) return;
    this.#isStalled = isStalled;
    changed(isStalled);
  }
}

/** For how long the same thing has been the oldest that is waited for. */
class Wait {
  #oldest = 0;
  #ticks = 0;

  get ticks(): number {
    return this.#ticks;
  }

  /** `oldest` is its number; 0: nothing is waited for. */
  tick(oldest: number, ticks: number): void {
    this.#ticks = oldest === 0 || oldest !== this.#oldest ? 0 : this.#ticks + ticks;
    this.#oldest = oldest;
  }
}
