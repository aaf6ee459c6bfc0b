// WatchManyResponse of documents.proto, written by hand: events keep the bytes that all watchers of a document share.
// Tests hold it against the proto.

import type { Failure } from '@deltabase/engine';
import { encodeError } from './error-codec.js';
import { varintBytes, WireWriter } from './writer.js';

/** `Origin`. */
export interface Origin {
  readonly via: readonly string[];
  readonly live: boolean;
}

/** Gathers one response. */
export class WatchManyWriter {
  /** Events by watch, in order. */
  readonly #events = new Map<number, Buffer[]>();
  readonly #rest = new WireWriter();
  readonly #part = new WireWriter();

  get isEmpty(): boolean {
    return this.#events.size === 0 && this.#rest.length === 0;
  }

  /** `event` is an element of `WatchResponse.events`, which is one of `WatchedEvents.events` too. */
  event(id: number, event: Buffer): void {
    const events = this.#events.get(id);
    if (events === undefined) this.#events.set(id, [event]);
    else events.push(event);
  }

  ended(id: number, why: Failure): void {
    this.#rest.present(2, this.#part.number(1, id).present(2, encodeError(why)).finish());
  }

  heads(number: number, seqs: readonly number[]): void {
    this.#part.number(1, number).packed(2, seqs);
    this.#rest.present(3, this.#part.finish());
  }

  headsFailed(number: number, why: Failure): void {
    this.#rest.present(3, this.#part.number(1, number).present(3, encodeError(why)).finish());
  }

  origin({ via, live }: Origin): void {
    for (const name of via) this.#part.text(1, name);
    this.#rest.present(4, this.#part.flag(2, live).finish());
  }

  /** The response's bytes: events first. The writer is empty afterwards. */
  finish(): Buffer {
    const parts: Buffer[] = [];
    for (const [id, events] of this.#events) {
      const bytes = events.reduce((sum, event) => sum + event.length, 0);
      parts.push(this.#part.head(1, bytes + 1 + varintBytes(id)).finish(), ...events);
      parts.push(this.#part.number(2, id).finish());
    }
    parts.push(this.#rest.finish());
    this.#events.clear();
    return Buffer.concat(parts);
  }
}
