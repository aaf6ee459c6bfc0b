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

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Milliseconds of this node for one of virtual time; its clocks go on from where they are. */
  set rate(rate: number) {
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

  /** How much virtual time it takes until so much has passed here. */
  virtualMs(ms: number): number {
    return ms / this.#rate;
  }
}
