// How much the documents in memory take, all of a node's together, and which may come in: as many load at a time as
// a disk has use for, and while there is too much already, one now and then: the others wait until some have left
// (sweeper.ts). So a burst passes the limit by what was loading, and a limit that is smaller than what is in use all
// the time makes a node slow, not dead.

import type { Limits } from '@deltabase/base';
import { Fifo } from '../fifo.js';

/** More of them do not make a disk faster. */
const LOADS_AT_ONCE = 16;
/** From so much of the limit on, documents leave sooner. */
const PRESSED_FRACTION = 0.9;

export class Residency {
  readonly #bytesMax: number;
  readonly #waitingMax: number;
  readonly #waiting = new Fifo<() => void>();
  #bytes = 0;
  #loading = 0;

  constructor({ residentBytesMax, loadsWaitingMax }: Limits) {
    this.#bytesMax = residentBytesMax;
    this.#waitingMax = loadsWaitingMax;
  }

  /** Bytes of the documents in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether what is not in use should leave soon. */
  get isPressed(): boolean {
    return this.#bytes > this.#bytesMax * PRESSED_FRACTION;
  }

  /** Whether nobody should ask for a document that is not in memory. */
  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax && this.#waiting.length >= this.#waitingMax;
  }

  /** A document came, grew, shrank or left. */
  changed(bytes: number): void {
    this.#bytes += bytes;
    if (bytes < 0) this.#startNext();
  }

  /** Calls `start` once a document may be loaded; `loaded` must follow. */
  admit(start: () => void): void {
    this.#waiting.push(start);
    this.#startNext();
  }

  /** What was admitted is in memory, or will not be. */
  loaded(): void {
    this.#loading--;
    this.#startNext();
  }

  /** Now and then: one document comes in, whatever there is, if nothing else does. */
  tick(): void {
    if (this.#loading === 0) this.#start();
  }

  #startNext(): void {
    while (this.#bytes < this.#bytesMax && this.#loading < LOADS_AT_ONCE) {
      if (!this.#start()) return;
    }
  }

  /** Starts the load that has waited longest. Returns whether there was one. */
  #start(): boolean {
    const start = this.#waiting.shift();
    if (start === undefined) return false;
    this.#loading++;
    start();
    return true;
  }
}
