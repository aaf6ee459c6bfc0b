// How many reads a client has open. They are bounded together and nothing else: reads that cannot be answered for long, as
// those of a group without a leader, hold up no others.

import { DeltabaseError } from '@deltabase/base';
import type { ClientLimits } from '../limits.js';

export class OpenReads {
  readonly #limits: Pick<ClientLimits, 'readsOpenMax'>;
  #count = 0;
  #isClosed = false;

  constructor(limits: Pick<ClientLimits, 'readsOpenMax'>) {
    this.#limits = limits;
  }

  /** Runs `read` as one of them. Rejects with OVERLOADED if there are too many, CANCELLED once the client is closed. */
  async run<T>(read: () => Promise<T>): Promise<T> {
    const { readsOpenMax } = this.#limits;
    if (this.#isClosed) throw new DeltabaseError('CANCELLED', 'the client was closed');
    if (this.#count >= readsOpenMax) {
      const why = `${readsOpenMax} reads of this client are open already: await answers before reading more`;
      throw new DeltabaseError('OVERLOADED', why);
    }
    this.#count++;
    try {
      return await read();
    } finally {
      this.#count--;
    }
  }

  /** No further read begins. */
  close(): void {
    this.#isClosed = true;
  }
}
