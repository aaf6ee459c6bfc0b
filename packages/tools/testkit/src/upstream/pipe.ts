// One direction of a connection: what is sent comes whole and in its order, as on a stream of gRPC, late or stalled for
// a while, until the connection ends.

import type { Prng } from '@deltabase/base';
import type { Simulation } from '../sim/simulation.js';

/** How streams fare; change it between events. */
export interface StreamWeather {
  /** Longest delay of most messages, ms; delays are uniform. */
  delayMsMax: number;
  /** Fraction of messages that take many times as long, and hold back those behind them. */
  lateRate: number;
}

export interface PipeOptions {
  readonly simulation: Simulation;
  readonly chance: Prng;
  readonly weather: StreamWeather;
  /** Runs something at the receiving end: later if that stands still, not at all if it has ended. */
  readonly enter: (run: () => void) => void;
}

interface Sent {
  readonly bytes: number;
  readonly arrive: () => void;
}

const DELAY_MS_MIN = 0.1;
/** A late message takes up to so many times the longest delay. */
const LATE_FACTOR = 30;

export class Pipe {
  readonly #options: PipeOptions;
  #lastArrivalMs = 0;
  #stalled = false;
  #ended = false;
  #queuedBytes = 0;
  /** What has come while it is stalled. */
  #held: Sent[] = [];

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  /** Bytes sent that have not come. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Has `arrive` called at the other end. */
  send(bytes: number, arrive: () => void): void {
    if (this.#ended) return;
    const { simulation } = this.#options;
    this.#queuedBytes += bytes;
    const atMs = Math.max(this.#lastArrivalMs, simulation.nowMs + this.#delayMs());
    this.#lastArrivalMs = atMs;
    simulation.schedule(atMs - simulation.nowMs, () => {
      const sent: Sent = { bytes, arrive };
      if (this.#stalled || this.#held.length > 0) this.#held.push(sent);
      else this.#arrive(sent);
    });
  }

  /** Nothing comes until it is resumed; nothing is lost. */
  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    const held = this.#held;
    this.#held = [];
    for (const sent of held) this.#arrive(sent);
  }

  /** Nothing comes any more. */
  end(): void {
    this.#ended = true;
    this.#held = [];
  }

  #arrive({ bytes, arrive }: Sent): void {
    this.#options.enter(() => {
      this.#queuedBytes -= bytes;
      if (!this.#ended) arrive();
    });
  }

  #delayMs(): number {
    const { chance, weather } = this.#options;
    const isLate = chance.fraction() < weather.lateRate;
    const factor = isLate ? 1 + chance.fraction() * LATE_FACTOR : 1;
    return DELAY_MS_MIN + chance.fraction() * weather.delayMsMax * factor;
  }
}
