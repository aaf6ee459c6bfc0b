// How many reads a client may have under way. One for which there is no room waits its turn, in the order of the calls, in
// a queue that is bounded too.

import { DeltabaseError } from '@deltabase/base';
import type { ClientLimits } from '../limits.js';
import type { World } from '../world.js';
import { type Patience, throwIfAborted } from './attempts.js';

interface Waiting {
  readonly begin: () => void;
  readonly refuse: (why: DeltabaseError) => void;
}

export class ReadRoom {
  readonly #world: World;
  readonly #limits: Pick<ClientLimits, 'readsInFlightMax' | 'readsWaitingMax'>;
  /** In the order of the calls. */
  readonly #waiting = new Set<Waiting>();
  #taken = 0;
  #isClosed = false;

  constructor(world: World, limits: Pick<ClientLimits, 'readsInFlightMax' | 'readsWaitingMax'>) {
    this.#world = world;
    this.#limits = limits;
  }

  /** Lets a read in if there is room and nobody waits before it. It gives its room back when it ends. */
  tryTake(): boolean {
    const { readsInFlightMax } = this.#limits;
    if (this.#isClosed || this.#waiting.size > 0 || this.#taken >= readsInFlightMax) return false;
    this.#taken++;
    return true;
  }

  /**
   * Resolves once there is room, which is taken then. Rejects with OVERLOADED if too many wait already, DEADLINE_EXCEEDED
   * after `timeoutMs`, CANCELLED when `signal` is aborted or the client is closed.
   */
  async take({ timeoutMs, signal }: Patience): Promise<void> {
    throwIfAborted(signal);
    if (this.tryTake()) return;
    if (this.#isClosed) throw closed();
    const { readsInFlightMax, readsWaitingMax } = this.#limits;
    if (this.#waiting.size >= readsWaitingMax) throw tooMany(this.#waiting.size);
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiting);
        stopTimer();
        signal?.removeEventListener('abort', abort);
      };
      const refuse = (why: unknown): void => {
        leave();
        reject(why);
      };
      const abort = (): void => refuse(givenUp(signal));
      const waiting: Waiting = {
        begin() {
          leave();
          resolve();
        },
        refuse,
      };
      const stopTimer = this.#world.after(timeoutMs, () =>
        refuse(tooLate(timeoutMs, readsInFlightMax)),
      );
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  /** A read that was let in has ended: the next one takes its room. */
  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken--;
    else next.begin();
  }

  /** Lets nobody in any more, and tells those who wait. */
  close(): void {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting) refuse(closed());
  }
}

function givenUp(signal: AbortSignal | undefined): DeltabaseError {
  return new DeltabaseError('CANCELLED', 'the caller gave up', { cause: signal?.reason });
}

function closed(): DeltabaseError {
  return new DeltabaseError('CANCELLED', 'the client was closed');
}

function tooLate(timeoutMs: number, openMax: number): DeltabaseError {
  const why = `no answer within ${Math.ceil(timeoutMs)} ms: ${openMax} reads of this client were open all the time`;
  return new DeltabaseError('DEADLINE_EXCEEDED', why);
}

function tooMany(waiting: number): DeltabaseError {
  const why = `${waiting} reads of this client wait to be sent already: await answers before reading more`;
  return new DeltabaseError('OVERLOADED', why);
}
