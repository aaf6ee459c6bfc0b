// What has come for one watch of a stream that it shares, and waits for its reader.

import type { DeltabaseError } from '@deltabase/base';
import { Fifo } from '../../fifo.js';
import type { ClientLimits } from '../../limits.js';
import { OnlyApart } from '../transport.js';
import type { StreamCalls } from '../wire.js';

/** A response, for one watch or several. */
export interface Arrival {
  readonly response: StreamCalls['Watch']['response'];
  /** About what it takes in memory. */
  readonly bytes: number;
  /** Readers that have not read it. */
  holders: number;
}

/** What of all watches at a node waits for readers: what several of them have not read counts once. */
export class Unread {
  bytes = 0;

  hold(arrival: Arrival): void {
    if (arrival.holders++ === 0) this.bytes += arrival.bytes;
  }

  release(arrival: Arrival): void {
    if (--arrival.holders === 0) this.bytes -= arrival.bytes;
  }
}

type ReaderLimits = Pick<ClientLimits, 'watchUnreadBytesMax' | 'watchesUnreadBytesMax'>;

export class WatchReader {
  readonly #limits: ReaderLimits;
  readonly #all: Unread;
  readonly #waiting = new Fifo<Arrival>();
  #bytes = 0;
  #ended: DeltabaseError | undefined;
  #wake: (() => void) | undefined;
  /** What was added last ends where a further event may begin, and its reader has not asked for more. */
  #isUntaken = false;
  /** Called when the reader has taken everything and wants more. */
  taken: () => void = () => {};

  constructor(limits: ReaderLimits, all: Unread) {
    this.#limits = limits;
    this.#all = all;
  }

  /**
   * The next response, once there is one. Rejects with the error that the watch ended with, behind all that came before it.
   */
  async next(): Promise<Arrival['response']> {
    for (;;) {
      const first = this.#waiting.shift();
      if (first !== undefined) {
        this.#bytes -= first.bytes;
        this.#all.release(first);
        return first.response;
      }
      if (this.#ended !== undefined) throw this.#ended;
      if (this.#isUntaken) {
        this.#isUntaken = false;
        this.taken();
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /**
   * A response has come. Returns whether the reader keeps up: not if it has not read what came before and that is much, or
   * that of all is; then the watch has ended.
   */
  add(arrival: Arrival): boolean {
    if (this.#waiting.length > 0 && this.#isMuch(arrival)) {
      this.end(new OnlyApart('the watch is not read as fast as its events come'));
      return false;
    }
    this.#waiting.push(arrival);
    this.#bytes += arrival.bytes;
    this.#all.hold(arrival);
    const last = arrival.response.events.at(-1);
    if (last !== undefined) this.#isUntaken = last.state?.last !== false;
    this.#wake?.();
    return true;
  }

  /** Nothing comes any more. */
  end(why: DeltabaseError): void {
    this.#ended ??= why;
    this.#wake?.();
  }

  /** Nobody reads any more. */
  giveUp(why: DeltabaseError): void {
    for (const arrival of this.#waiting.drain()) this.#all.release(arrival);
    this.#bytes = 0;
    this.end(why);
  }

  #isMuch({ bytes, holders }: Arrival): boolean {
    const { watchUnreadBytesMax, watchesUnreadBytesMax } = this.#limits;
    const more = holders > 0 ? 0 : bytes;
    return (
      this.#bytes + bytes > watchUnreadBytesMax || this.#all.bytes + more > watchesUnreadBytesMax
    );
  }
}
