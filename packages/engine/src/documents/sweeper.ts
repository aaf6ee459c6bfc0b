// Lets documents that nothing has used for a while leave memory, sooner if all of them take too much of it.
// It walks over them a part at a time, so that a million of them never hold a turn up (CostIsTheDelta).

import type { Limits } from '@deltabase/base';
import type { GroupDocuments } from './group-documents.js';
import type { LocalDocument } from './local-document.js';
import type { Residency } from './residency.js';

const SWEEP_MS = 5000;
const DOCUMENTS_AT_ONCE = 5000;
/** With too much in memory, documents that were not used for so long must go. */
const PRESSED_EVICT_MS = 1000;

type Walk = Iterator<{ readonly documents: GroupDocuments; readonly local: LocalDocument }>;

export class Sweeper {
  readonly #groups: ReadonlyArray<{ readonly documents: GroupDocuments }>;
  readonly #limits: Limits;
  readonly #residency: Pick<Residency, 'isPressed'>;
  #walk: Walk | undefined;
  #begunMs: number;

  constructor(
    groups: ReadonlyArray<{ readonly documents: GroupDocuments }>,
    options: { readonly limits: Limits; readonly residency: Pick<Residency, 'isPressed'> },
    nowMs: number,
  ) {
    this.#groups = groups;
    this.#limits = options.limits;
    this.#residency = options.residency;
    this.#begunMs = nowMs;
  }

  /** Goes on with the walk, or begins the next one when it is time. */
  sweep(nowMs: number): void {
    if (this.#walk === undefined && (this.#isPressed || nowMs - this.#begunMs >= SWEEP_MS)) {
      this.#walk = documentsOf(this.#groups);
      this.#begunMs = nowMs;
    }
    for (let count = 0; this.#walk !== undefined && count < DOCUMENTS_AT_ONCE; count++) {
      this.#step(this.#walk, nowMs);
    }
  }

  get #isPressed(): boolean {
    return this.#residency.isPressed;
  }

  #step(walk: Walk, nowMs: number): void {
    const next = walk.next();
    if (next.done) {
      this.#walk = undefined;
      return;
    }
    const { documents, local } = next.value;
    const { idleEvictMs } = this.#limits;
    const idleMs = this.#isPressed ? Math.min(PRESSED_EVICT_MS, idleEvictMs) : idleEvictMs;
    documents.evict(local, nowMs - idleMs);
  }
}

function* documentsOf(groups: ReadonlyArray<{ readonly documents: GroupDocuments }>): Walk {
  for (const { documents } of groups) {
    for (const local of documents.all()) yield { documents, local };
  }
}
