// A turn loop whose turns are taken when a test says so.

import type { Clock } from '../../src/ports.js';
import { TurnLoop } from '../../src/turn-loop.js';

export class ManualLoop {
  readonly loop: TurnLoop;
  readonly #soon: Array<() => void> = [];

  constructor(work: () => void = () => {}) {
    const clock: Clock = {
      monotonicMs: () => 0,
      wallMs: () => 0,
      soon: (run) => void this.#soon.push(run),
      after: () => {},
      every: () => () => {},
    };
    this.loop = new TurnLoop(clock, work);
  }

  /** Takes turns until none is due. */
  readonly run = (): void => {
    while (this.#soon.length > 0) this.#soon.shift()!();
  };

  /** Turns that are due. */
  get due(): number {
    return this.#soon.length;
  }
}
