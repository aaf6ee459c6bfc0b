// A process of a simulation through all its lives: it has clocks of its own that may go wrong, may stand still for a
// while, and ends at once; what an earlier life still had to do is void.

import type { Prng } from '@deltabase/base';
import type { Clock, Log } from '@deltabase/engine';
import type { Simulation } from '../sim/simulation.js';
import { NodeClock } from './node-clock.js';

export interface ProcessOptions {
  readonly simulation: Simulation;
  /** As its log lines name it. */
  readonly name: string;
  /** Told of every log line. */
  readonly trace: ((line: string) => void) | undefined;
}

interface Held {
  readonly events: Array<() => void>;
  readonly soon: Array<() => void>;
}

export class SimulatedProcess {
  readonly name: string;
  readonly clock: NodeClock;
  readonly #options: ProcessOptions;
  readonly #chance: Prng;
  #life = 0;
  #isRunning = false;
  /** What it has not got round to; `undefined` while it does not stand still. */
  #held: Held | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.name = options.name;
    this.clock = new NodeClock(options.simulation);
    this.#chance = options.simulation.random.fork(`process ${options.name}`);
  }

  /** Counts the times it was started or ended: whoever meets another number meets another life. */
  get life(): number {
    return this.#life;
  }

  /** Whether it was started and has not ended. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Begins a life; returns its number. */
  begin(): number {
    this.#isRunning = true;
    return ++this.#life;
  }

  /** Ends a life at once. */
  end(): void {
    this.#life++;
    this.#isRunning = false;
    this.#held = undefined;
  }

  /** It does nothing until `resume`, while its clocks go on. */
  pause(): void {
    this.#held ??= { events: [], soon: [] };
  }

  /**
   * Goes on from where it stood: right before what it was to call back soon, or where it waited for what happens, and
   * finds all of that first.
   */
  resume(): void {
    if (this.#held === undefined) return;
    const { events, soon } = this.#held;
    const life = this.#life;
    this.#held = undefined;
    const happened = events.map((run) => (): void => this.enter(life, run));
    const called = soon.map((run) => (): void => this.enterSoon(life, run));
    const inOrder =
      this.#chance.below(2) === 0 ? [...called, ...happened] : [...happened, ...called];
    for (const step of inOrder) this.#options.simulation.schedule(0, step);
  }

  /** Runs what happens in a life: not at all if that has ended, later if it stands still. */
  enter(life: number, run: () => void): void {
    this.#enter(life, 'events', run);
  }

  /** The same with what it has called back soon. */
  enterSoon(life: number, run: () => void): void {
    this.#enter(life, 'soon', run);
  }

  #enter(life: number, kind: keyof Held, run: () => void): void {
    if (this.#life !== life) return;
    if (this.#held === undefined) run();
    else this.#held[kind].push(run);
  }

  /** The Clock port of a life, which runs things by `enter`, and what comes soon by `soon`. */
  clockPort(enter: (run: () => void) => void, soon: (run: () => void) => void): Clock {
    const { clock } = this;
    const { simulation } = this.#options;
    return {
      monotonicMs: () => clock.monotonicMs,
      wallMs: () => clock.wallMs,
      soon: (run) => simulation.schedule(0, () => soon(run)),
      after: (delayMs, run) => simulation.schedule(clock.virtualMs(delayMs), () => enter(run)),
      every: (intervalMs, run) => {
        let isStopped = false;
        const tick = (): void => {
          if (isStopped) return;
          run();
          again();
        };
        const again = (): void =>
          simulation.schedule(clock.virtualMs(intervalMs), () => enter(tick));
        again();
        return () => {
          isStopped = true;
        };
      },
    };
  }

  /** The log of a life. */
  log(): Log {
    const { simulation, trace } = this.#options;
    const line =
      (level: string) =>
      (event: string, fields = {}) =>
        trace?.(
          `${simulation.nowMs.toFixed(1)} ${this.name} ${level} ${event} ${JSON.stringify(fields)}`,
        );
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }
}
