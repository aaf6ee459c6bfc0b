// The append messages that a follower has not acknowledged yet: a window bounded in messages and in bytes
// (thesis §10.2.1, pipelining), kept as a ring that grows on demand.

import { assert } from './assert.js';

interface InflightMessage {
  /** The last index in the message. */
  readonly index: number;
  readonly bytes: number;
}

export class Inflights {
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  #ring: Array<InflightMessage | undefined> = new Array(4).fill(undefined);
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(messagesMax: number, bytesMax: number) {
    this.#messagesMax = messagesMax;
    this.#bytesMax = bytesMax;
  }

  /** Messages in flight. */
  get count(): number {
    return this.#count;
  }

  /** Whether no further message may be sent. */
  get full(): boolean {
    return this.#count >= this.#messagesMax || this.#bytes >= this.#bytesMax;
  }

  /** A message whose last entry is at `index` has left. The window must not be full. */
  add(index: number, bytes: number): void {
    assert(!this.full, 'nothing is sent into a full window');
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#start + this.#count) % this.#ring.length] = { index, bytes };
    this.#count++;
    this.#bytes += bytes;
  }

  /** Everything up to `index` is acknowledged: an answer to a later message answers the earlier ones too. */
  freeTo(index: number): void {
    while (this.#count > 0) {
      const oldest = this.#ring[this.#start]!;
      if (oldest.index > index) return;
      this.#ring[this.#start] = undefined;
      this.#start = (this.#start + 1) % this.#ring.length;
      this.#count--;
      this.#bytes -= oldest.bytes;
    }
  }

  /** Forgets everything in flight. */
  reset(): void {
    this.#ring.fill(undefined);
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const messages = [];
    for (let at = 0; at < this.#count; at++) {
      messages.push(this.#ring[(this.#start + at) % this.#ring.length]);
    }
    this.#ring = messages.concat(new Array(this.#count).fill(undefined));
    this.#start = 0;
  }
}
