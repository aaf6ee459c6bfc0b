// One lane towards a peer: the stream that the peer opened to receive on, and how much of what was written to
// it has not left yet. Without a stream, and beyond its limit, frames are dropped: Raft sends again.

import type { ServerWritableStream } from '@grpc/grpc-js';
import { MESSAGE_OVERHEAD_BYTES } from './peer-frame.js';

export type FrameStream = ServerWritableStream<Uint8Array, Uint8Array>;

export class Outbound {
  readonly #queueBytesMax: number;
  #stream: FrameStream | undefined;
  #queuedBytes = 0;
  #dropped = 0;

  constructor(queueBytesMax: number) {
    this.#queueBytesMax = queueBytesMax;
  }

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  /** Bytes written that the transport has not taken yet: flow control holds them back, or the socket. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Frames dropped because too much was queued. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The peer opened a new stream, which replaces the one before. */
  open(stream: FrameStream): void {
    this.end();
    this.#stream = stream;
  }

  /** `stream` has ended. Returns whether it was the one in use. */
  closed(stream: FrameStream): boolean {
    if (this.#stream !== stream) return false;
    this.#stream = undefined;
    this.#queuedBytes = 0;
    return true;
  }

  /** Ends the stream, if there is one. */
  end(): void {
    this.#stream?.end();
    this.#stream = undefined;
    this.#queuedBytes = 0;
  }

  send(frame: Uint8Array): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const bytes = frame.length + MESSAGE_OVERHEAD_BYTES;
    if (this.#queuedBytes + bytes > this.#queueBytesMax) {
      this.#dropped++;
      return;
    }
    this.#queuedBytes += bytes;
    stream.write(frame, () => {
      if (this.#stream === stream) this.#queuedBytes -= bytes;
    });
  }
}
