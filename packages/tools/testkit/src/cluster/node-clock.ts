// The clocks of one simulated node: they go faster or slower than virtual time, and its wall clock may be wrong.

import type { Simulation } from '../sim/simulation.js';

/** The wall clocks of simulated nodes begin here, ms since 1970. */
export const WALL_START_MS = 1_700_000_000_000;

export class NodeClock {
  readonly #simulation: Simulation;
  /** By how much its wall clock is wrong, ms. */
  wallOffsetMs = 0;
  #rate = 1;
  #setAtMs = 0;
  #setAt = 0;
  /** How it went before it was set, oldest first: what it showed then, when that was, and its rate from there. */
  readonly #before: Array<{ readonly at: number; readonly atMs: number; readonly rate: number }> =
    [];

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Milliseconds of this node for one of virtual time; its clocks go on from where they are. */
  set rate(rate: number) {
    this.#before.push({ at: this.#setAt, atMs: this.#setAtMs, rate: this.#rate });
    this.#setAt = this.monotonicMs;
    this.#setAtMs = this.#simulation.nowMs;
    this.#rate = rate;
  }

  get monotonicMs(): number {
    return this.#setAt + (this.#simulation.nowMs - this.#setAtMs) * this.#rate;
  }

  get wallMs(): number {
    return WALL_START_MS + this.wallOffsetMs + Math.floor(this.monotonicMs);
  }

  /** The virtual time at which it showed `monotonicMs`, which is not in its future. */
  momentOf(monotonicMs: number): number {
    const now = { at: this.#setAt, atMs: this.#setAtMs, rate: this.#rate };
    const all = [...this.#before, now];
    const since = all.findLast(({ at }) => at <= monotonicMs) ?? all[0]!;
    return since.atMs + (monotonicMs - since.at) / since.rate;
  }

  /** How much virtual time it takes until so much has passed here. */
  virtualMs(ms: number): number {
    return ms / this.#rate;
  }
}
