// The engine's heartbeat of work. Whatever happens outside (a frame, a finished write, a tick, a client's
// messages) only enqueues an event; a turn handles all that has gathered, in order, and then works off its
// consequences once, for all groups together. While a write is in flight the next turn gathers: the group
// commit falls out of it.

import { assert } from '@deltabase/base';
import type { Clock } from './ports.js';

export class TurnLoop {
  readonly #clock: Clock;
  readonly #work: () => void;
  #events: Array<() => void> = [];
  #scheduled = false;
  #running = false;
  #stopped = false;
  #turns = 0;

  /** `work` is run at the end of each turn, after the turn's events. */
  constructor(clock: Clock, work: () => void) {
    this.#clock = clock;
    this.#work = work;
  }

  /** Turns taken. */
  get turns(): number {
    return this.#turns;
  }

  /** Has `event` run in the next turn. */
  enqueue(event: () => void): void {
    if (this.#stopped) return;
    this.#events.push(event);
    this.wake();
  }

  /** Makes sure that there is a next turn. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#turn());
  }

  /** Drops what is enqueued and takes no further turn. */
  stop(): void {
    this.#stopped = true;
    this.#events = [];
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    assert(!this.#running, 'turns do not nest');
    this.#running = true;
    this.#turns++;
    const events = this.#events;
    this.#events = [];
    for (const event of events) event();
    this.#work();
    this.#running = false;
  }
}
