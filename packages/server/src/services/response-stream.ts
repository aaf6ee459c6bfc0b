// What a streaming call writes, and how much of it has not left yet. It ends once, with a status; what was
// written before leaves first. After that, and once the caller is gone, writing does nothing.

import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import type { CallStatus } from './status.js';

/** A call whose responses are bytes. */
export type BytesCall = ServerWritableStream<unknown, Buffer> | ServerDuplexStream<unknown, Buffer>;

export interface ResponseStreamEvents {
  /** Bytes have left: there is room for others. */
  drained(): void;
  /** The caller is gone, or everything has been sent. */
  closed(): void;
}

/** What many streams hold back together. */
export interface QueueTotal {
  bytes: number;
}

export class ResponseStream {
  readonly #call: BytesCall;
  readonly #events: ResponseStreamEvents;
  readonly #total: QueueTotal;
  #queuedBytes = 0;
  #isEnded = false;

  /** `total` counts what this stream holds back too. */
  constructor(call: BytesCall, events: ResponseStreamEvents, total: QueueTotal = { bytes: 0 }) {
    this.#call = call;
    this.#events = events;
    this.#total = total;
    call.on('cancelled', () => {
      this.#isEnded = true;
      // Nobody tells any more when it leaves.
      this.#left(this.#queuedBytes);
      events.closed();
    });
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Bytes written that flow control or the socket holds back. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  write(response: Buffer): void {
    if (this.#isEnded) return;
    this.#queuedBytes += response.length;
    this.#total.bytes += response.length;
    this.#call.write(response, () => {
      this.#left(Math.min(response.length, this.#queuedBytes));
      if (!this.#isEnded) this.#events.drained();
    });
  }

  /** Ends the call well, or with `status`. */
  end(status?: CallStatus): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (status === undefined) this.#call.end();
    else this.#call.emit('error', status);
  }

  #left(bytes: number): void {
    this.#queuedBytes -= bytes;
    this.#total.bytes -= bytes;
  }
}
