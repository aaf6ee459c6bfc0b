// An event as all its watchers get it: one element of `WatchResponse.events`, and the frame of a response that holds
// nothing else, made once and in the same bytes.

import { FRAME_HEADER_BYTES, putFrameHeader } from '@deltabase/grpc-connection';

export class WatchEvent {
  #bytes: Buffer;
  #frame: Buffer | undefined;

  private constructor(bytes: Buffer, frame: Buffer | undefined) {
    this.#bytes = bytes;
    this.#frame = frame;
  }

  /** From an element as it came from elsewhere. */
  static fromElement(bytes: Buffer): WatchEvent {
    return new WatchEvent(bytes, undefined);
  }

  /** From an element with room for a header in front, which is written here. */
  static fromFrame(frame: Buffer): WatchEvent {
    putFrameHeader(frame);
    return new WatchEvent(frame.subarray(FRAME_HEADER_BYTES), frame);
  }

  /** The element. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The frame of a response that is this event alone. Nobody may change it. */
  get frame(): Buffer {
    if (this.#frame === undefined) {
      this.#frame = frameOf([this], this.#bytes.length);
      this.#bytes = this.#frame.subarray(FRAME_HEADER_BYTES);
    }
    return this.#frame;
  }
}

/** The frame of a response that holds these; `bytes` is what they have together. */
export function frameOf(events: readonly WatchEvent[], bytes: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + bytes);
  putFrameHeader(frame);
  let at = FRAME_HEADER_BYTES;
  for (const event of events) {
    frame.set(event.bytes, at);
    at += event.bytes.length;
  }
  return frame;
}
