// What has come for one watch of a stream that it shares, and waits for its reader.

import type { DeltabaseError } from '@deltabase/base';
import type { ClientLimits } from '../../limits.js';
import { OnlyApart } from '../transport.js';
import type { StreamCalls } from '../wire.js';

type Response = StreamCalls['Watch']['response'];

/** What of all watches at a node waits for readers. */
export interface Unread {
  bytes: number;
}

interface Waiting {
  readonly response: Response;
  readonly bytes: number;
}

export class WatchReader {
  readonly #limits: Pick<ClientLimits, 'watchUnreadBytesMax' | 'watchesUnreadBytesMax'>;
  readonly #total: Unread;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #ended: DeltabaseError | undefined;
  #wake: (() => void) | undefined;
  /** What was added last ends where a further event may begin, and its reader has not asked for more. */
  #isUntaken = false;
  /** Called when the reader has taken everything and wants more. */
  taken: () => void = () => {};

  constructor(
    limits: Pick<ClientLimits, 'watchUnreadBytesMax' | 'watchesUnreadBytesMax'>,
    total: Unread,
  ) {
    this.#limits = limits;
    this.#total = total;
  }

  /**
   * The next response, once there is one. Rejects with the error that the watch ended with, behind all that came before it.
   */
  async next(): Promise<Response> {
    for (;;) {
      const first = this.#waiting.shift();
      if (first !== undefined) {
        this.#count(-first.bytes);
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
   * A response has come that takes `bytes`. Returns whether it was taken: not if the reader has not read what came before
   * and that is much, or that of all is; then the watch has ended.
   */
  add(response: Response, bytes: number): boolean {
    const { watchUnreadBytesMax, watchesUnreadBytesMax } = this.#limits;
    const isMuch =
      this.#bytes + bytes > watchUnreadBytesMax ||
      this.#total.bytes + bytes > watchesUnreadBytesMax;
    if (isMuch && this.#waiting.length > 0) {
      this.end(new OnlyApart('the watch is not read as fast as its events come'));
      return false;
    }
    this.#waiting.push({ response, bytes });
    const last = response.events.at(-1);
    if (last !== undefined) this.#isUntaken = last.state?.last !== false;
    this.#count(bytes);
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
    this.#waiting = [];
    this.#count(-this.#bytes);
    this.end(why);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#total.bytes += bytes;
  }
}
