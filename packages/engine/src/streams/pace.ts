// When a watch may be given the next event. Times lie on one grid for all watches of a rate, so that those of
// a busy document are served together, by one patch that is made and encoded once.

/** What an event may be late without the next one being put off, as a part of the interval. */
const LATE_PART = 0.25;

export class Pace {
  readonly #intervalMs: number;
  #dueMs = Number.NEGATIVE_INFINITY;

  /** At most `perSecond` events a second; `undefined`: as many as there are. */
  constructor(perSecond: number | undefined) {
    this.#intervalMs = perSecond === undefined ? 0 : 1000 / perSecond;
  }

  /** From when on the next event may be given, by the monotonic clock, ms. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Whether the next event may be given now; if not, `waits` is told when it may be. */
  mayGive({ nowMs, waits }: { nowMs(): number; waits(dueMs: number): void }): boolean {
    if (nowMs() >= this.#dueMs) return true;
    waits(this.#dueMs);
    return false;
  }

  /**
   * An event was given. The next one may be at the next time of the grid that is at least three quarters of
   * an interval away: never two in one interval of the grid.
   */
  given(nowMs: number): void {
    if (this.#intervalMs === 0) return;
    const earliestMs = nowMs + this.#intervalMs * (1 - LATE_PART);
    this.#dueMs = Math.ceil(earliestMs / this.#intervalMs) * this.#intervalMs;
  }
}
