// One Watch call. The bytes of a delta are shared by all its watchers; those of a turn leave as one response.
// A client that reads too slowly is given nothing more until it has caught up: the engine reads what it missed
// from where that is kept.

import type { Failure, TailDelta, Watch, WatchSink } from '@deltabase/engine';
import { encodeDeltaEvent, encodeStateEvent } from '../wire/delta-codec.js';
import { type BytesCall, ResponseStream } from './response-stream.js';
import { statusOf } from './status.js';

/** Events are sent as they are once they have so many bytes. */
const RESPONSE_BYTES = 256 * 1024;

export class WatchStream implements WatchSink {
  readonly #responses: ResponseStream;
  readonly #queueBytesMax: number;
  #watch: Watch | undefined;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  /** The engine was told to wait. */
  #isBlocked = false;

  constructor(call: BytesCall, queueBytesMax: number) {
    this.#queueBytesMax = queueBytesMax;
    this.#responses = new ResponseStream(call, {
      drained: () => this.#drained(),
      closed: () => this.#watch?.cancel(),
    });
  }

  /** Begins; `start` asks the engine for the watch of this sink. */
  begin(start: (sink: WatchSink) => Watch): void {
    this.#watch = start(this);
    if (this.#responses.isEnded) this.#watch.cancel();
  }

  get ready(): boolean {
    const isReady =
      !this.#responses.isEnded &&
      this.#responses.queuedBytes + this.#gatheredBytes < this.#queueBytesMax;
    if (!isReady) this.#isBlocked = true;
    return isReady;
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.#gather(encodeStateEvent(seq, piece, hash));
  }

  delta(delta: TailDelta): void {
    this.#gather(encodeDeltaEvent(delta));
  }

  flush(): void {
    if (this.#gathered.length === 0) return;
    const only = this.#gathered.length === 1 ? this.#gathered[0] : undefined;
    this.#responses.write(only ?? Buffer.concat(this.#gathered, this.#gatheredBytes));
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }

  end(why: Failure): void {
    this.flush();
    this.#responses.end(statusOf(why));
  }

  #gather(event: Buffer): void {
    this.#gathered.push(event);
    this.#gatheredBytes += event.length;
    if (this.#gatheredBytes >= RESPONSE_BYTES) this.flush();
  }

  #drained(): void {
    if (!this.#isBlocked || this.#responses.queuedBytes > this.#queueBytesMax / 2) return;
    this.#isBlocked = false;
    this.#watch?.resume();
  }
}
