// Watches at one node, over one stream (WatchMany) that is opened with the first of them and ends behind the last: what
// happens at once comes at once, and what several of them get comes once. All of them share what may be on its way, so one
// that is read too slowly is to go on apart: the others must not wait for it.

import { DeltabaseError } from '@deltabase/base';
import type { Client } from '@grpc/grpc-js';
import type { ClientLimits } from '../../limits.js';
import type { StreamOptions } from '../transport.js';
import type { StreamCalls } from '../wire.js';
import { aborted } from './call-error.js';
import { Unread, WatchReader } from './watch-reader.js';
import { type StreamRoom, WatchStream } from './watch-stream.js';

const UNKNOWN_MS = 60_000;

export class GrpcWatches {
  readonly #client: Client;
  readonly #address: string;
  readonly #limits: ClientLimits;
  /** Those that are open: more than one where there are too many watches for one. */
  readonly #streams = new Set<WatchStream>();
  readonly #room: StreamRoom;
  readonly #unread = new Unread();
  /** The node does not know such streams; until they are tried again, ms. */
  #unknownUntilMs = 0;
  #isClosed = false;

  constructor(client: Client, address: string, limits: ClientLimits) {
    this.#client = client;
    this.#address = address;
    this.#limits = limits;
    this.#room = { watchesMax: limits.watchesPerStreamMax };
  }

  /** Whether the node is taken not to know streams of many watches: it may be replaced by a newer one. */
  get isUnknown(): boolean {
    return performance.now() < this.#unknownUntilMs;
  }

  /** What `Watch` would answer. Throws `OnlyApart` where that is how the watch goes on. */
  async *watch(
    request: StreamCalls['Watch']['request'],
    { signal }: StreamOptions,
  ): AsyncGenerator<StreamCalls['Watch']['response']> {
    if (signal?.aborted) throw aborted(signal);
    if (this.#isClosed) throw this.#closed();
    const reader = new WatchReader(this.#limits, this.#unread);
    const stream = this.#streamWithRoom();
    const id = stream.open(request, reader);
    const leave = (): void => {
      stream.close(id);
      reader.giveUp(aborted(signal));
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      for (;;) yield await reader.next();
    } finally {
      signal?.removeEventListener('abort', leave);
      leave();
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.cancel(this.#closed());
  }

  #streamWithRoom(): WatchStream {
    for (const stream of this.#streams) {
      if (stream.hasRoom) return stream;
    }
    const stream = new WatchStream({
      client: this.#client,
      address: this.#address,
      limits: this.#limits,
      room: this.#room,
      ended: (isUnknown) => {
        this.#streams.delete(stream);
        if (isUnknown) this.#unknownUntilMs = performance.now() + UNKNOWN_MS;
      },
    });
    this.#streams.add(stream);
    return stream;
  }

  #closed(): DeltabaseError {
    return new DeltabaseError('UNAVAILABLE', `the connection to ${this.#address} was closed`);
  }
}
