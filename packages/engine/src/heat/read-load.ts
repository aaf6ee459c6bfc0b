// How much is read of a process, and what it does about that: it counts (heat.ts), has replicas keep copies
// (attached-replicas.ts), and refuses what it cannot bear (shedding.ts).

import type { Limits } from '@deltabase/base';
import { Heat } from './heat.js';
import { Shedding } from './shedding.js';

export interface ReadLoadHost {
  readonly limits: Limits;
  /** The longest that a turn was waited for since this was last asked, ms. */
  takeLongestWait(): number;
}

export class ReadLoad {
  readonly heat: Heat;
  readonly shedding: Shedding;
  readonly #host: ReadLoadHost;

  constructor(host: ReadLoadHost) {
    this.#host = host;
    this.heat = new Heat(host.limits);
    this.shedding = new Shedding(host.limits);
  }

  tick(nowMs: number): void {
    const { heat, shedding } = this;
    heat.tick(nowMs);
    shedding.tick(nowMs, this.#host.takeLongestWait(), heat.reads + heat.deliveries);
  }
}
