// One timer for the deadlines of all messages: it stands at the earliest deadline seen, and then everything
// unanswered is looked through once. Messages are answered long before their deadlines, so that is rare.

import type { World } from '../world.js';

/** Deadlines closer together than this are handled together. */
const SLACK_MS = 20;

export class Deadlines {
  readonly #world: World;
  readonly #sweep: (nowMs: number) => number;
  #atMs = Infinity;
  #cancel: (() => void) | undefined;

  /** `sweep` gives up what has expired and returns the earliest deadline of the rest, or Infinity. */
  constructor(world: World, sweep: (nowMs: number) => number) {
    this.#world = world;
    this.#sweep = sweep;
  }

  /** Something must be given up at `deadlineMs` unless it is answered. */
  add(deadlineMs: number): void {
    if (deadlineMs >= this.#atMs) return;
    this.#cancel?.();
    this.#atMs = deadlineMs;
    const waitMs = Math.max(0, deadlineMs - this.#world.nowMs()) + SLACK_MS;
    this.#cancel = this.#world.after(waitMs, () => {
      this.#atMs = Infinity;
      this.#cancel = undefined;
      const next = this.#sweep(this.#world.nowMs());
      if (next < Infinity) this.add(next);
    });
  }

  /** Gives nothing up any more. */
  close(): void {
    this.#cancel?.();
    this.#atMs = -Infinity;
  }
}
