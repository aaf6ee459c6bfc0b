// WatchManyResponse of documents.proto, written by hand: an event that several watches of the stream get is in it once, in
// the bytes that all watchers of a document share. Tests hold it against the proto.

import type { Failure, HeadSeqs, Origin } from '@deltabase/engine';
import { FRAME_HEADER_BYTES, putFrameHeader } from '@deltabase/grpc-connection';
import { encodeError } from './error-codec.js';
import { lengthDelimitedBytes, varintBytes, WireWriter } from './writer.js';

/** The most that is set aside for the next response, bytes. */
const AHEAD_BYTES_MAX = 64 * 1024;

/** An event, and the watches that get it. */
interface Shared {
  readonly event: Buffer;
  readonly ids: number[];
  /** What the ids take. */
  idsBytes: number;
}

/** Gathers one response: its frame, with room for the header in front. */
export class WatchManyWriter {
  readonly #frame = new WireWriter().skip(FRAME_HEADER_BYTES);
  readonly #rest = new WireWriter();
  readonly #part = new WireWriter();
  /** The frame was given away. */
  #isGiven = false;
  /** In the order in which they go out. */
  #shared: Shared[] = [];

  get isEmpty(): boolean {
    return this.#shared.length === 0 && this.#rest.length === 0;
  }

  /**
   * `event` is an element of `WatchResponse.events`, which is one of `WatchedEvents.events` too; watches that get it one
   * after the other give the same buffer. Returns the bytes that this takes in the response.
   */
  event(ids: readonly number[], event: Buffer): number {
    let idsBytes = 0;
    for (const id of ids) idsBytes += varintBytes(id);
    const last = this.#shared.at(-1);
    if (last?.event === event) {
      const before = lengthDelimitedBytes(watchedBytes(last));
      for (const id of ids) last.ids.push(id);
      last.idsBytes += idsBytes;
      return lengthDelimitedBytes(watchedBytes(last)) - before;
    }
    const shared = { event, ids: [...ids], idsBytes };
    this.#shared.push(shared);
    return lengthDelimitedBytes(watchedBytes(shared));
  }

  ended(id: number, why: Failure): void {
    this.#rest.present(2, this.#part.number(1, id).present(2, encodeError(why)).finish());
  }

  heads(number: number, seqs: HeadSeqs): void {
    this.#part.number(1, number).packed(
      2,
      // Who does not know of unknown heads never gets so far.
      seqs.map((seq = Number.MAX_SAFE_INTEGER) => seq),
    );
    const unknown = seqs.flatMap((seq, at) => (seq === undefined ? [at] : []));
    this.#part.packed(4, unknown);
    this.#rest.present(3, this.#part.finish());
  }

  headsFailed(number: number, why: Failure): void {
    this.#rest.present(3, this.#part.number(1, number).present(3, encodeError(why)).finish());
  }

  origin({ via, live }: Origin): void {
    for (const name of via) this.#part.text(1, name);
    this.#rest.present(4, this.#part.flag(2, live).finish());
  }

  /** `hint` has the bytes of `WatchResponse.copies`. */
  copies(ids: readonly number[], hint: Buffer): void {
    this.#rest.present(5, this.#part.packed(1, ids).append(hint).finish());
  }

  /**
   * The response's frame, events first; its bytes stay as they are until `reuse` is called. The writer is empty
   * afterwards.
   */
  finish(): Buffer {
    if (this.#isGiven) this.#begin();
    for (const shared of this.#shared) {
      const { event, ids } = shared;
      this.#frame.head(1, watchedBytes(shared)).append(event);
      if (ids.length === 1) this.#frame.number(2, ids[0]!);
      else this.#frame.packed(2, ids);
    }
    const frame = this.#frame.append(this.#rest.view()).view();
    putFrameHeader(frame);
    this.#shared = [];
    this.#rest.clear();
    this.#isGiven = true;
    return frame;
  }

  /** Nobody needs the frame any more that was given last: the next one may be written over it. */
  reuse(): void {
    if (!this.#isGiven || this.#frame.length > AHEAD_BYTES_MAX) return;
    this.#isGiven = false;
    this.#frame.clear();
    this.#frame.skip(FRAME_HEADER_BYTES);
  }

  /** Another frame beside the one that was given away. */
  #begin(): void {
    this.#isGiven = false;
    this.#frame.leave(Math.min(this.#frame.length, AHEAD_BYTES_MAX));
    this.#frame.skip(FRAME_HEADER_BYTES);
  }
}

/** Bytes of `WatchedEvents`. One id is written as before there could be several, which says the same and is shorter. */
function watchedBytes({ event, ids, idsBytes }: Shared): number {
  return event.length + (ids.length === 1 ? 1 + idsBytes : lengthDelimitedBytes(idsBytes));
}
