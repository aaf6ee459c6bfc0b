// A clock that goes when a test says so: what is due is run in the order of its moments.

import type { Clock } from '../../src/ports.js';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 0;
  #soon: Array<() => void> = [];
  #timers: Timer[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  after(delayMs: number, run: () => void): void {
    this.#timers.push({ atMs: this.#nowMs + delayMs, run });
  }

  every(intervalMs: number, run: () => void): () => void {
    let isStopped = false;
    const tick = (): void => {
      if (isStopped) return;
      run();
      this.after(intervalMs, tick);
    };
    this.after(intervalMs, tick);
    return () => {
      isStopped = true;
    };
  }

  /** Runs what is called soon, until nothing is left of it. */
  settle(): void {
    for (let run = this.#soon.shift(); run !== undefined; run = this.#soon.shift()) run();
  }

  /** Lets time pass, and everything happen that is due by then. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      this.settle();
      const next = this.#next(endMs);
      if (next === undefined) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): Timer | undefined {
    const due = this.#timers.filter(({ atMs }) => atMs <= endMs);
    return due.reduce<Timer | undefined>(
      (first, one) => (first === undefined || one.atMs < first.atMs ? one : first),
      undefined,
    );
  }
}
