// Steps of views that are kept for watchers that want each and have not taken it yet: those of all views of a node
// together, at most so many bytes. Beyond them the oldest go; who still needs one gets it from the history
// (view-catch-up.ts).

import type { ComposedDelta } from './composed-delta.js';

/** What leads a view on; without `step` that would be too large, and the view must be given as a whole. */
export interface KeptStep {
  readonly fromSeq: number;
  readonly seq: number;
  readonly step: ComposedDelta | undefined;
  /** It is kept no longer; it was the oldest one of its view. */
  forgotten(): void;
}

/** Roughly what one takes beside its patch, as it is and as it is sent, in bytes. */
const OVERHEAD_BYTES = 384;

export class KeptSteps {
  readonly #bytesMax: number;
  /** Oldest first. */
  readonly #kept = new Set<KeptStep>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps `step`, the newest of its view; it may be forgotten at once. */
  keep(step: KeptStep): void {
    this.#kept.add(step);
    this.#bytes += bytesOfStep(step);
    for (const oldest of this.#kept) {
      if (this.#bytes <= this.#bytesMax) return;
      this.drop(oldest);
      oldest.forgotten();
    }
  }

  /** Nobody needs `step` any more. */
  drop(step: KeptStep): void {
    if (this.#kept.delete(step)) this.#bytes -= bytesOfStep(step);
  }
}

function bytesOfStep({ step }: KeptStep): number {
  return OVERHEAD_BYTES + 2 * (step?.patch.length ?? 0);
}
