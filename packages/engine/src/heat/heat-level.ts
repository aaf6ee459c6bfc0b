// How many copies a document should have, by its heat: none while it is cool, one from a threshold on, and one more
// for every part of the heat that a copy takes. It gets a copy at once. It loses one only when its heat has been
// below half of what made it get it for a while: within that band, and in a pause of a storm, nothing changes.

export interface HeatScale {
  /** A document is hot from here on, in reads per second; above 0. */
  readonly hotFrom: number;
  /** What one copy takes of it, in reads per second; above 0. */
  readonly perCopy: number;
  /** How long it is too cool for a copy until it loses it, ms. */
  readonly coolMs: number;
}

/** What heat a document has: at least, and at most. */
export interface HeatRange {
  readonly low: number;
  readonly high: number;
}

/** Heat of which more keeps a copy than gets one. */
const KEEP_PART = 0.5;

/** The copies that a document should get at a heat. */
export function copiesAt(heat: number, { hotFrom, perCopy }: HeatScale): number {
  return heat < hotFrom ? 0 : Math.max(1, Math.ceil(heat / perCopy));
}

export class HeatLevel {
  readonly #scale: HeatScale;
  #copies = 0;
  /** Since when it has more than its heat keeps. */
  #tooCoolSinceMs: number | undefined;

  constructor(scale: HeatScale) {
    this.#scale = scale;
  }

  /** How many copies the document should have; 0: it is not hot. */
  get copies(): number {
    return this.#copies;
  }

  /** Takes its heat as it is now, ms by any clock that does not go back. Only certain heat makes it hotter. */
  step({ low, high }: HeatRange, nowMs: number): void {
    const kept = copiesAt(high / KEEP_PART, this.#scale);
    this.#copies = Math.max(this.#copies, copiesAt(low, this.#scale));
    if (kept >= this.#copies) {
      this.#tooCoolSinceMs = undefined;
      return;
    }
    this.#tooCoolSinceMs ??= nowMs;
    if (nowMs - this.#tooCoolSinceMs < this.#scale.coolMs) return;
    this.#copies = kept;
    this.#tooCoolSinceMs = undefined;
  }
}
