// How long nobody was answered, by the clock of this process: what runs and tests on real clusters measure, of all messages
// or of each group's.

/** The longest time between two answers. */
export class Silence {
  #lastMs = performance.now();
  #longestMs = 0;

  /** Since it was forgotten; the present one counts. */
  get longestMs(): number {
    return Math.max(this.#longestMs, performance.now() - this.#lastMs);
  }

  answered(): void {
    this.#longestMs = this.longestMs;
    this.#lastMs = performance.now();
  }

  /** Counts from the last answer on. */
  forget(): void {
    this.#longestMs = 0;
  }
}
