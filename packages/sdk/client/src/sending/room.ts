// How much a client may have under way. What there is no room for waits its turn, in the order of the calls,
// in a queue that is bounded too.

import { Fifo } from '../fifo.js';
import type { ClientLimits } from '../limits.js';
import type { Outgoing } from './outgoing.js';
import type { Sessions } from './sessions.js';

export class Room {
  readonly #limits: ClientLimits;
  readonly #sessions: Sessions;
  readonly #waiting = new Fifo<Outgoing>();
  #waitingBytes = 0;
  #taken = 0;
  #takenBytes = 0;

  constructor(limits: ClientLimits, sessions: Sessions) {
    this.#limits = limits;
    this.#sessions = sessions;
  }

  /** Messages that were let in and are not settled. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether nothing is under way and nothing waits. */
  get isEmpty(): boolean {
    return this.#taken === 0 && this.#waiting.length === 0;
  }

  /** Messages in the queue; some may have been given up there. */
  get queue(): Fifo<Outgoing> {
    return this.#waiting;
  }

  /** Lets `message` in if there is room and nobody waits before it. */
  tryTake(message: Outgoing): boolean {
    if (this.#waiting.length > 0 || !this.#fits(message)) return false;
    this.#take(message);
    return true;
  }

  /** Puts `message` into the queue; false if that is full. */
  tryWait(message: Outgoing): boolean {
    const { waitingMax, waitingBytesMax } = this.#limits;
    const bytes = this.#waitingBytes + message.bytes;
    if (this.#waiting.length >= waitingMax || bytes > waitingBytesMax) return false;
    this.#waiting.push(message);
    this.#waitingBytes = bytes;
    return true;
  }

  /** `message` was let in and is settled. */
  give(message: Outgoing): void {
    this.#taken--;
    this.#takenBytes -= message.bytes;
  }

  /** Lets the next of the queue in, if there is one and room for it. */
  takeNext(): Outgoing | undefined {
    for (;;) {
      const message = this.#waiting.peek();
      if (message === undefined || (!message.settled && !this.#fits(message))) return undefined;
      this.#waiting.shift();
      this.#waitingBytes -= message.bytes;
      if (message.settled) continue;
      this.#take(message);
      return message;
    }
  }

  #take(message: Outgoing): void {
    this.#taken++;
    this.#takenBytes += message.bytes;
  }

  /** One message always fits, however large. */
  #fits(message: Outgoing): boolean {
    const { inFlightMax, inFlightBytesMax } = this.#limits;
    if (this.#taken === 0) return true;
    const bytes = this.#takenBytes + message.bytes;
    return this.#taken < inFlightMax && bytes <= inFlightBytesMax && this.#sessions.hasRoom;
  }
}
