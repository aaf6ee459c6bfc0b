// One lane towards a peer: the stream that the peer opened to receive on, and how much of what was written to
// it has not left yet. Without a stream, and beyond its limits, frames are dropped: Raft sends again.

import { assert } from '@deltabase/base';
import type { Lane, Log, NodeId } from '@deltabase/engine';
import { type ByteStream, byteStreamOf } from '@deltabase/grpc-connection';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { encodePeerFrame, MESSAGE_OVERHEAD_BYTES } from './peer-frame.js';

export type FrameStream = ServerWritableStream<Uint8Array, Buffer>;

export interface OutboundOptions {
  readonly peer: NodeId;
  readonly lane: Lane;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  readonly log: Log;
}

export class Outbound {
  readonly #options: OutboundOptions;
  #stream: FrameStream | undefined;
  /** Below it: what gRPC's own way costs a frame, it costs everybody who waits for that frame. */
  #bytes: ByteStream | undefined;
  #queuedBytes = 0;
  /** Frames have been dropped since the queue was last empty: the log says it once. */
  #isFull = false;

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  /** Bytes written that the transport has not taken yet: flow control holds them back, or the socket. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** The peer opened a stream, which has its headers; there is none before it. */
  open(stream: FrameStream): void {
    assert(this.#stream === undefined, 'a lane has one stream at a time');
    this.#stream = stream;
    this.#bytes = byteStreamOf(stream);
  }

  /** `stream` has ended. Returns whether it was the one in use. */
  closed(stream: FrameStream): boolean {
    if (this.#stream !== stream) return false;
    this.#forget();
    return true;
  }

  /** Ends the stream, if there is one. */
  end(reason: string): void {
    this.#stream?.emit('error', { code: status.UNAVAILABLE, details: reason });
    this.#forget();
  }

  send(frame: Uint8Array): void {
    const stream = this.#bytes;
    if (stream === undefined || !this.#takes(frame)) return;
    // The peer is gone, which its call is about to say.
    if (!stream.writable) return;
    const bytes = frame.length + MESSAGE_OVERHEAD_BYTES;
    this.#queuedBytes += bytes;
    stream.write(encodePeerFrame(frame), () => {
      if (this.#bytes !== stream) return;
      this.#queuedBytes -= bytes;
      if (this.#queuedBytes === 0) this.#isFull = false;
    });
  }

  #takes(frame: Uint8Array): boolean {
    const { peer, lane, log, frameBytesMax, queueBytesMax } = this.#options;
    const { length } = frame;
    if (length + MESSAGE_OVERHEAD_BYTES > frameBytesMax) {
      log.error('peer-frame-too-large', { peer, lane, bytes: length, frameBytesMax });
      return false;
    }
    if (this.#queuedBytes + length <= queueBytesMax) return true;
    if (!this.#isFull) log.warn('peer-queue-full', { peer, lane, queueBytesMax });
    this.#isFull = true;
    return false;
  }

  #forget(): void {
    this.#stream = undefined;
    this.#bytes = undefined;
    this.#queuedBytes = 0;
    this.#isFull = false;
  }
}
