// What a streaming call writes, and how much of it has not left yet. It ends once, with a status; what was
// written before leaves first. After that, and once the caller is gone, writing does nothing.

import {
  type ByteStream,
  type BytesCall,
  FRAME_HEADER_BYTES,
  openByteStream,
  putFrameHeader,
} from '@deltabase/grpc-connection';
import type { ByteCounts } from './byte-counts.js';
import type { CallStatus } from './status.js';

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

/** What streams have in common. */
export interface SharedCounts {
  /** Counts what the stream holds back too. */
  readonly queued?: QueueTotal;
  readonly bytes?: ByteCounts | undefined;
}

export class ResponseStream {
  readonly #call: BytesCall;
  readonly #events: ResponseStreamEvents;
  readonly #queued: QueueTotal;
  readonly #bytes: ByteCounts | undefined;
  /** Once something was written. */
  #stream: ByteStream | undefined;
  #queuedBytes = 0;
  #isEnded = false;
  /** One for all writes. */
  readonly #written = (): void => {
    // The caller is gone, or the stream tells of several writes at once.
    if (this.#queuedBytes === 0) return;
    this.#left(this.#queuedBytes - this.#stream!.writableLength);
    if (!this.#isEnded) this.#events.drained();
  };

  constructor(call: BytesCall, events: ResponseStreamEvents, shared: SharedCounts = {}) {
    this.#call = call;
    this.#events = events;
    this.#queued = shared.queued ?? { bytes: 0 };
    this.#bytes = shared.bytes;
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

  write(response: Uint8Array): void {
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + response.length);
    putFrameHeader(frame);
    frame.set(response, FRAME_HEADER_BYTES);
    this.writeFrame(frame);
  }

  /** Writes a message with its header; nobody may change the bytes before `queuedBytes` is 0. */
  writeFrame(frame: Buffer): void {
    if (this.#isEnded) return;
    this.#stream ??= openByteStream(this.#call);
    // The process stops, and has ended all calls.
    if (!this.#stream.writable) return;
    this.#queuedBytes += frame.length;
    this.#queued.bytes += frame.length;
    if (this.#bytes !== undefined) this.#bytes.clientBytesSent += frame.length - FRAME_HEADER_BYTES;
    this.#stream.write(frame, this.#written);
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
    this.#queued.bytes -= bytes;
  }
}
