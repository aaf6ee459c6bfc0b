// Lets documents that nothing has used for a while leave memory, sooner if all of them take too much of it.
// It walks over them a part at a time, so that a million of them never hold a turn up (CostIsTheDelta).

import type { Limits } from '@deltabase/base';
import type { GroupDocuments } from './group-documents.js';
import type { LocalDocument } from './local-document.js';

const SWEEP_MS = 5000;
const DOCUMENTS_AT_ONCE = 5000;
/** With too much in memory, documents that were not used for so long must go. */
const PRESSED_EVICT_MS = 1000;

type Walk = Iterator<{ readonly documents: GroupDocuments; readonly local: LocalDocument }>;

export class Sweeper {
  readonly #groups: ReadonlyArray<{ readonly documents: GroupDocuments }>;
  readonly #limits: Limits;
  #walk: Walk | undefined;
  #begunMs: number;
  /** Found by the present walk so far. */
  #foundBytes = 0;
  #residentBytes = 0;

  constructor(
    groups: ReadonlyArray<{ readonly documents: GroupDocuments }>,
    limits: Limits,
    nowMs: number,
  ) {
    this.#groups = groups;
    this.#limits = limits;
    this.#begunMs = nowMs;
  }

  /** Bytes of the documents in memory, as the last walk over all of them found. */
  get residentBytes(): number {
    return this.#residentBytes;
  }

  /** Goes on with the walk, or begins the next one when it is time. */
  sweep(nowMs: number): void {
    if (this.#walk === undefined && (this.#isPressed || nowMs - this.#begunMs >= SWEEP_MS)) {
      this.#walk = documentsOf(this.#groups);
      this.#begunMs = nowMs;
      this.#foundBytes = 0;
    }
    for (let count = 0; this.#walk !== undefined && count < DOCUMENTS_AT_ONCE; count++) {
      this.#step(this.#walk, nowMs);
    }
  }

  get #isPressed(): boolean {
    return this.#residentBytes > this.#limits.residentBytesMax;
  }

  #step(walk: Walk, nowMs: number): void {
    const next = walk.next();
    if (next.done) {
      this.#walk = undefined;
      this.#residentBytes = this.#foundBytes;
      return;
    }
    const { documents, local } = next.value;
    const { idleEvictMs } = this.#limits;
    const idleMs = this.#isPressed ? Math.min(PRESSED_EVICT_MS, idleEvictMs) : idleEvictMs;
    this.#foundBytes += documents.evict(local, nowMs - idleMs);
  }
}

function* documentsOf(groups: ReadonlyArray<{ readonly documents: GroupDocuments }>): Walk {
  for (const { documents } of groups) {
    for (const local of documents.all()) yield { documents, local };
  }
}
