// The streaming calls that are open, so that a server that stops can tell each of them so.

import type { Failure } from '@deltabase/engine';

export interface OpenStream {
  /** Ends the call. */
  end(why: Failure): void;
}

export class OpenStreams {
  readonly #streams = new Set<OpenStream>();

  get count(): number {
    return this.#streams.size;
  }

  add(stream: OpenStream): void {
    this.#streams.add(stream);
  }

  /** The call is over; more than once does no harm. */
  remove(stream: OpenStream): void {
    this.#streams.delete(stream);
  }

  endAll(why: Failure): void {
    for (const stream of [...this.#streams]) stream.end(why);
    this.#streams.clear();
  }
}
