// What a process refuses when reads keep it so busy that everything waits: in steps, what can be had elsewhere first, so
// that messages do not suffer. How busy it is shows in how long a turn is waited for: the time from an event until the
// process comes to it. Nothing is refused for being busy with something else than reads.

import { type Failure, overloaded } from '../results.js';

/** What somebody asks for, in the order in which it is refused. */
export type Asked = 'watch' | 'stale read' | 'read';

export interface SheddingLimits {
  /** Turns may be waited for so long, on average, ms. */
  readonly turnDelayMsMax: number;
}

export interface SheddingCounters {
  readonly sheddingLevel: number;
  readonly watchesShed: number;
  readonly readsShed: number;
}

/** Steps: from so many times `turnDelayMsMax` on it is refused too. */
const STEPS: ReadonlyArray<readonly [asked: Asked, times: number]> = [
  ['watch', 1],
  ['stale read', 2],
  ['read', 4],
];
/** What was waited for counts by half after so long. */
const HALF_LIFE_MS = 500;
/** A step is left once the wait is below this part of what it was entered at, for so long. */
const LEAVE_PART = 0.5;
const LEAVE_MS = 2000;
/** With fewer reads and deliveries a second it is something else that keeps the process busy. */
const GIVEN_PER_SECOND_MIN = 500;
const TICK_MS = 250;

export class Shedding {
  readonly #delayMsMax: number;
  /** Steps taken: the first so many of `STEPS` are refused. */
  #level = 0;
  #calmSinceMs: number | undefined;
  /** Decayed average of waits, and the longest since the last tick. */
  #delayMs = 0;
  #longestMs = 0;
  #tickedMs = 0;
  #given = 0;
  /** How many were refused, by what they asked for. */
  readonly #refused: Record<Asked, number> = { watch: 0, 'stale read': 0, read: 0 };

  constructor({ turnDelayMsMax }: SheddingLimits) {
    this.#delayMsMax = turnDelayMsMax;
  }

  /** How many kinds of things are refused, 0 to 3: watches, stale reads, all reads. */
  get level(): number {
    return this.#level;
  }

  get counters(): SheddingCounters {
    const { watch, read, 'stale read': stale } = this.#refused;
    return { sheddingLevel: this.#level, watchesShed: watch, readsShed: stale + read };
  }

  /** How long turns are waited for, about, ms. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /**
   * Called every so often. `waitMs` is the longest that a turn was waited for since the last call, `given` counts the
   * reads that were answered and the events that were delivered until now.
   */
  tick(nowMs: number, waitMs: number, given: number): void {
    this.#longestMs = Math.max(this.#longestMs, waitMs);
    const passedMs = nowMs - this.#tickedMs;
    if (passedMs < TICK_MS) return;
    const perSecond = ((given - this.#given) * 1000) / passedMs;
    this.#tickedMs = nowMs;
    this.#given = given;
    const kept = 2 ** -(passedMs / HALF_LIFE_MS);
    this.#delayMs = this.#delayMs * kept + this.#longestMs * (1 - kept);
    this.#longestMs = 0;
    this.#step(nowMs, perSecond);
  }

  /** Why it is refused now; `undefined`: it is not. */
  refusal(asked: Asked): Failure | undefined {
    if (this.#level === 0) return undefined;
    const step = STEPS.findIndex(([kind]) => kind === asked);
    if (step >= this.#level) return undefined;
    this.#refused[asked]++;
    return overloaded(`too much is read here: ask another node or a replica for this ${asked}`);
  }

  #step(nowMs: number, givenPerSecond: number): void {
    const reached = STEPS.filter(([, times]) => this.#delayMs >= times * this.#delayMsMax).length;
    if (reached > this.#level && givenPerSecond >= GIVEN_PER_SECOND_MIN) {
      // One step at a time: each is given the time to show what it does.
      this.#level++;
      this.#calmSinceMs = undefined;
      return;
    }
    const entered = (STEPS[this.#level - 1]?.[1] ?? 0) * this.#delayMsMax;
    if (this.#level === 0 || this.#delayMs >= entered * LEAVE_PART) {
      this.#calmSinceMs = undefined;
      return;
    }
    this.#calmSinceMs ??= nowMs;
    if (nowMs - this.#calmSinceMs < LEAVE_MS) return;
    this.#level--;
    this.#calmSinceMs = nowMs;
  }
}
