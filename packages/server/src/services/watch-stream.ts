// One Watch call. The bytes of a delta are shared by all its watchers; those of a turn leave as one response.
// A client that reads too slowly is given nothing more until it has caught up: the engine reads what it missed
// from where that is kept. If all of them together hold back too much, a client gets something only when it has
// taken everything: so those that read go on, and those that do not hold an event each.

import type { Limits } from '@deltabase/base';
import type {
  ComposedDelta,
  Failure,
  ProgressMark,
  TailDelta,
  Watch,
  WatchSink,
} from '@deltabase/engine';
import type { BytesCall } from '@deltabase/grpc-connection';
import {
  encodeComposedEvent,
  encodeDeltaEvent,
  encodeProgressEvent,
  encodeStateEvent,
} from '../wire/delta-codec.js';
import { frameOf, WatchEvent } from '../wire/watch-event.js';
import { type QueueTotal, ResponseStream, type SharedCounts } from './response-stream.js';
import { statusOf } from './status.js';

/** Events are sent as they are once they have so many bytes. */
const RESPONSE_BYTES = 256 * 1024;

type WatchLimits = Pick<Limits, 'watchQueueBytesMax' | 'watchQueuesBytesMax'>;

export interface WatchCounts extends SharedCounts {
  /** What all watches of the node hold back. */
  readonly queued: QueueTotal;
}

export class WatchStream implements WatchSink {
  readonly #responses: ResponseStream;
  readonly #limits: WatchLimits;
  readonly #total: QueueTotal;
  #watch: Watch | undefined;
  #gathered: WatchEvent[] = [];
  #gatheredBytes = 0;
  /** The engine was told to wait for room, and for everything to have left. */
  #isBlocked = false;
  #isAwaitingIdle = false;
  /** A response that names copies, which is to leave. */
  #hint: Buffer | undefined;
  /** Nobody is to be told of copies any more. */
  #stopHints = (): void => {};

  constructor(call: BytesCall, limits: WatchLimits, shared: WatchCounts) {
    this.#limits = limits;
    this.#total = shared.queued;
    const drained = (): void => this.#drained();
    const closed = (): void => {
      this.#stopHints();
      this.#watch?.cancel();
    };
    this.#responses = new ResponseStream(call, { drained, closed }, shared);
  }

  /** Begins; `start` asks the engine for the watch of this sink. */
  begin(start: (sink: WatchSink) => Watch): void {
    this.#watch = start(this);
    if (this.#responses.isEnded) this.#watch.cancel();
  }

  /** Has the client told of copies: `follow` calls what it is given with a response for each set of them. */
  hintFrom(follow: (told: (response: Buffer) => void) => () => void): void {
    if (!this.#responses.isEnded) this.#stopHints = follow((response) => this.hint(response));
  }

  /** Sends a response that names copies: at once; to a client that reads slowly with the next events, or when it has read all before. */
  hint(response: Buffer): void {
    this.#hint = response;
    this.#sendHint();
  }

  get ready(): boolean {
    const { watchQueueBytesMax, watchQueuesBytesMax } = this.#limits;
    const bytes = this.#responses.queuedBytes + this.#gatheredBytes;
    const isAnyFree = this.#total.bytes + this.#gatheredBytes < watchQueuesBytesMax;
    const isReady =
      !this.#responses.isEnded && (bytes === 0 || (isAnyFree && bytes < watchQueueBytesMax));
    if (!isReady) this.#isBlocked = true;
    return isReady;
  }

  get idle(): boolean {
    const isIdle = this.#responses.queuedBytes + this.#gatheredBytes === 0;
    if (!isIdle) this.#isAwaitingIdle = true;
    return isIdle && !this.#responses.isEnded;
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.#gather(encodeStateEvent(seq, piece, hash));
  }

  delta(delta: TailDelta): void {
    this.#gather(encodeDeltaEvent(delta));
  }

  composed(delta: ComposedDelta): void {
    this.#gather(encodeComposedEvent(delta));
  }

  progress(mark: ProgressMark): void {
    this.#gather(encodeProgressEvent(mark));
  }

  flush(): void {
    if (this.#hint !== undefined) {
      this.#gathered.push(WatchEvent.fromElement(this.#hint));
      this.#gatheredBytes += this.#hint.length;
      this.#hint = undefined;
    }
    if (this.#gathered.length === 0) return;
    const [first] = this.#gathered;
    // Mostly it is one, and then all who get it share the frame.
    const isOne = this.#gathered.length === 1;
    this.#responses.writeFrame(isOne ? first!.frame : frameOf(this.#gathered, this.#gatheredBytes));
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }

  end(why: Failure): void {
    this.#stopHints();
    this.flush();
    this.#responses.end(statusOf(why));
  }

  #gather(event: WatchEvent): void {
    this.#gathered.push(event);
    this.#gatheredBytes += event.bytes.length;
    if (this.#gatheredBytes >= RESPONSE_BYTES) this.flush();
  }

  #sendHint(): void {
    if (this.#hint !== undefined && this.#responses.queuedBytes === 0) this.flush();
  }

  #drained(): void {
    this.#sendHint();
    const { queuedBytes } = this.#responses;
    const hasRoom = this.#isBlocked && queuedBytes <= this.#limits.watchQueueBytesMax / 2;
    const isIdle = this.#isAwaitingIdle && queuedBytes === 0;
    if (!hasRoom && !isIdle) return;
    this.#isBlocked &&= !hasRoom;
    this.#isAwaitingIdle &&= !isIdle;
    this.#watch?.resume();
  }
}
