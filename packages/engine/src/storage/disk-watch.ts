// Notices a disk that does not answer: a node that can make nothing durable must not lead, or its groups stand
// still for as long as its heartbeats go on (docs/raft.md, pitfall 22). Counted in the ticks this process was awake for,
// so that a process that stood still does not blame its disk.

import type { DurableWriter } from './durable-writer.js';

export interface DiskWatchOptions {
  readonly writer: Pick<DurableWriter, 'inFlight'>;
  /** A write that takes so long does not come back soon. */
  readonly ticksMax: number;
  /** The disk has stopped answering, or answers again. */
  readonly changed: (isStalled: boolean) => void;
}

export class DiskWatch {
  readonly #options: DiskWatchOptions;
  #watched = 0;
  #ticks = 0;
  #isStalled = false;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** Whether the oldest write has been on its way for too long. */
  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** So many ticks have passed. */
  tick(ticks: number): void {
    const { writer, ticksMax, changed } = this.#options;
    const { inFlight } = writer;
    this.#ticks = inFlight === 0 || inFlight !== this.#watched ? 0 : this.#ticks + ticks;
    this.#watched = inFlight;
    const isStalled = this.#ticks >= ticksMax;
    if (isStalled === this.#isStalled) return;
    this.#isStalled = isStalled;
    changed(isStalled);
  }
}
