// The engine's heartbeat of work. Whatever happens outside (a frame, a finished write, a tick, a client's
// messages) only enqueues an event; a turn handles all that has gathered, in order, and then works off its
// consequences once, for all groups together. While a write is in flight the next turn gathers: the group
// commit falls out of it.

import { assert } from '@deltabase/base';
import type { Clock } from './ports.js';

interface Event {
  readonly run: () => void;
  /** Called instead of `run` if the loop stops before. */
  readonly dropped: (() => void) | undefined;
}

export class TurnLoop {
  readonly #clock: Clock;
  readonly #work: () => void;
  #events: Event[] = [];
  #scheduled = false;
  #running = false;
  #stopped = false;
  #turns = 0;
  #wokenMs = 0;
  #longestWaitMs = 0;

  /** `work` is run at the end of each turn, after the turn's events. */
  constructor(clock: Clock, work: () => void) {
    this.#clock = clock;
    this.#work = work;
  }

  /** The longest time since this was last asked that a turn was waited for, ms: what else the process did meanwhile. */
  takeLongestWait(): number {
    const ms = this.#longestWaitMs;
    this.#longestWaitMs = 0;
    return ms;
  }

  /** Turns taken. */
  get turns(): number {
    return this.#turns;
  }

  /** Has `run` called in the next turn, or `dropped`, once the loop is stopped, in its place. */
  enqueue(run: () => void, dropped?: () => void): void {
    if (this.#stopped) {
      dropped?.();
      return;
    }
    this.#events.push({ run, dropped });
    this.wake();
  }

  /** Makes sure that there is a next turn. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#wokenMs = this.#clock.monotonicMs();
    this.#clock.soon(() => this.#turn());
  }

  /** Drops what is enqueued and takes no further turn. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const events = this.#events;
    this.#events = [];
    for (const { dropped } of events) dropped?.();
  }

  #turn(): void {
    if (this.#stopped) return;
    assert(!this.#running, 'turns do not nest');
    this.#running = true;
    this.#turns++;
    this.#longestWaitMs = Math.max(this.#longestWaitMs, this.#clock.monotonicMs() - this.#wokenMs);
    const events = this.#events;
    this.#events = [];
    for (const { run, dropped } of events) {
      if (this.#stopped) dropped?.();
      else run();
    }
    // What the events woke is worked off by this turn; what comes up from here on needs the next one.
    this.#scheduled = false;
    // An event may have been the end: there is nothing left to work on.
    if (!this.#stopped) this.#work();
    this.#running = false;
    if (this.#events.length > 0) this.wake();
  }
}
