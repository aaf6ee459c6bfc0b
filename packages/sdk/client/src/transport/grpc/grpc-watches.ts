// Watches at one node, over one stream (WatchMany) that is opened with the first of them and ends behind the last: what
// happens at once comes at once, and what several of them get comes once. All of them share what may be on its way, so one
// that is read too slowly is to go on apart: the others must not wait for it.

import { DeltabaseError } from '@deltabase/base';
import type { Client } from '@grpc/grpc-js';
import type { ClientLimits } from '../../limits.js';
import type { StreamOptions } from '../transport.js';
import type { StreamCalls } from '../wire.js';
import { aborted } from './call-error.js';
import { type Unread, WatchReader } from './watch-reader.js';
import { WatchStream } from './watch-stream.js';

export class GrpcWatches {
  readonly #client: Client;
  readonly #address: string;
  readonly #limits: ClientLimits;
  /** Those that are open: more than one where there are too many watches for one. */
  readonly #streams = new Set<WatchStream>();
  readonly #unread: Unread = { bytes: 0 };
  #isClosed = false;

  constructor(client: Client, address: string, limits: ClientLimits) {
    this.#client = client;
    this.#address = address;
    this.#limits = limits;
  }

  /** What `Watch` would answer. Throws `OnlyApart` where that is how the watch goes on. */
  async *watch(
    request: StreamCalls['Watch']['request'],
    { signal }: StreamOptions,
  ): AsyncGenerator<StreamCalls['Watch']['response']> {
    if (signal?.aborted) throw aborted(signal);
    if (this.#isClosed) throw this.#closed();
    const reader = new WatchReader(this.#limits, this.#unread);
    const abort = (): void => reader.giveUp(aborted(signal));
    signal?.addEventListener('abort', abort, { once: true });
    const stream = this.#streamWithRoom();
    const id = stream.open(request, reader);
    try {
      for (;;) yield await reader.next();
    } finally {
      signal?.removeEventListener('abort', abort);
      stream.close(id);
      reader.giveUp(aborted(signal));
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.cancel(this.#closed());
  }

  #streamWithRoom(): WatchStream {
    for (const stream of this.#streams) {
      if (stream.size < this.#limits.watchesPerStreamMax) return stream;
    }
    const stream = new WatchStream(this.#client, this.#address, this.#limits, () => {
      this.#streams.delete(stream);
    });
    this.#streams.add(stream);
    return stream;
  }

  #closed(): DeltabaseError {
    return new DeltabaseError('UNAVAILABLE', `the connection to ${this.#address} was closed`);
  }
}
