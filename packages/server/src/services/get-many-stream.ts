// One GetMany call: many reads a frame in, the answers of a turn in one frame out, in whatever order they come. Nothing in
// it grows without bound: reads begin while there is room for their answers, and those that find none wait. Frames are taken
// meanwhile, as they may give up reads, until as much waits as one frame may have. What is larger than expected and finds
// no room then is refused.

import { DeltabaseError, type Limits } from '@deltabase/base';
import {
  type DocumentStreams,
  type Failure,
  failure,
  failureOf,
  type OpenRead,
  type ReadResult,
} from '@deltabase/engine';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  type GetManyFrame,
  GetManyWriter,
  getManyReader,
  type NumberedGet,
} from '../wire/get-many-codec.js';
import type { ByteCounts } from './byte-counts.js';
import type { CopyHints } from './copy-hints.js';
import { readRequestOf } from './read-request.js';
import { checkCount, invalid } from './requests.js';
import { ResponseStream } from './response-stream.js';
import type { CallStatus } from './status.js';

export interface GetManyHost {
  readonly streams: Pick<DocumentStreams, 'read'>;
  readonly hints: Pick<CopyHints, 'of'>;
  readonly limits: Limits;
  readonly bytes?: ByteCounts | undefined;
  nowMs(): number;
  /** How what was thrown ends the call. */
  statusOfThrown(thrown: unknown): CallStatus;
}

/** A read that is not answered. */
interface Asked extends NumberedGet {
  /** What it took of its frame, about. */
  readonly bytes: number;
  /** `undefined` until it has begun. */
  read: OpenRead | undefined;
}

/** Answers are sent as they are once they have so many bytes. */
const RESPONSE_BYTES = 256 * 1024;
/** Of the queue of reads of the process. */
const QUEUE_PART = 1 / 8;
/** What is left of the size of a large value with each smaller one. */
const FORGET_PART = 0.9;

export class GetManyStream {
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #host: GetManyHost;
  readonly #responses: ResponseStream;
  readonly #writer = new GetManyWriter();
  readonly #decode: (bytes: Uint8Array) => GetManyFrame;
  /** Reads that have not begun, the next one first. */
  readonly #waiting = new Set<Asked>();
  #waitingBytes = 0;
  /** Reads without an answer that have begun. */
  readonly #open = new Set<Asked>();
  /** Both by number; of several with the same one the last. */
  readonly #asked = new Map<number, Asked>();
  /** As large as values of this stream were lately, bytes. */
  #valueBytes = 0;
  #isFlushing = false;
  #hasAllRequests = false;

  constructor(call: ServerDuplexStream<Buffer, Buffer>, host: GetManyHost) {
    this.#call = call;
    this.#host = host;
    this.#decode = getManyReader(host.limits.frameMessagesMax);
    const events = { drained: () => this.#continue(), closed: () => this.#cancelAll() };
    this.#responses = new ResponseStream(call, events, { bytes: host.bytes });
    call.on('data', (frame: Buffer) => this.#received(frame));
    call.on('end', () => {
      this.#hasAllRequests = true;
      this.#continue();
    });
  }

  #received(bytes: Buffer): void {
    if (this.#responses.isEnded) return;
    const { frameBytesMax } = this.#host.limits;
    try {
      if (bytes.length > frameBytesMax) throw invalid(tooLarge(bytes.length, frameBytesMax));
      const { gets, cancels } = this.#decode(bytes);
      for (const { number } of gets) checkCount('number', number);
      this.#take(gets, Math.ceil(bytes.length / gets.length));
      for (const number of cancels) this.#cancel(number);
    } catch (thrown) {
      this.#flush();
      this.#responses.end(this.#host.statusOfThrown(thrown));
      this.#cancelAll();
      return;
    }
    this.#begin();
  }

  #take(gets: readonly NumberedGet[], bytes: number): void {
    for (const get of gets) {
      const asked: Asked = { read: undefined, bytes, ...get };
      this.#waiting.add(asked);
      this.#waitingBytes += bytes;
      this.#asked.set(asked.number, asked);
    }
  }

  /** Begins reads while there is room; takes no further frame while too many wait. */
  #begin(): void {
    for (const asked of this.#waiting) {
      if (!this.#hasRoom) break;
      this.#leaveWaiting(asked);
      this.#read(asked);
    }
    const { frameMessagesMax, frameBytesMax } = this.#host.limits;
    const isHeldBack =
      this.#waiting.size >= frameMessagesMax || this.#waitingBytes >= frameBytesMax;
    if (isHeldBack && !this.#call.isPaused()) this.#call.pause();
    else if (!isHeldBack && this.#call.isPaused()) this.#call.resume();
  }

  /** What cannot be read is answered with that; other reads of the stream go on. */
  #read(asked: Asked): void {
    const { streams, hints, limits } = this.#host;
    const { get, timeoutMs } = asked;
    const expiresMs =
      this.#host.nowMs() + Math.min(timeoutMs || Infinity, limits.requestTimeoutMsMax);
    this.#open.add(asked);
    try {
      if (get === undefined) throw invalid('it does not say what is to be read');
      if (get.atSeq !== undefined) throw invalid('an earlier seq is not read here: use Get');
      asked.read = streams.read(readRequestOf(get, limits, expiresMs), (result) => {
        this.#answer(asked, result, result.kind === 'failed' ? [] : hints.of(get));
      });
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      this.#answer(asked, failureOf(thrown), []);
    }
  }

  #cancel(number: number): void {
    const asked = this.#asked.get(number);
    if (asked === undefined) return;
    this.#forget(asked);
    this.#leaveWaiting(asked);
    asked.read?.cancel();
  }

  #cancelAll(): void {
    for (const asked of this.#open) asked.read?.cancel();
    this.#open.clear();
    this.#waiting.clear();
    this.#asked.clear();
  }

  #leaveWaiting(asked: Asked): void {
    if (this.#waiting.delete(asked)) this.#waitingBytes -= asked.bytes;
  }

  #forget(asked: Asked): void {
    this.#open.delete(asked);
    if (this.#asked.get(asked.number) === asked) this.#asked.delete(asked.number);
  }

  #answer(asked: Asked, result: ReadResult, copies: readonly string[]): void {
    this.#forget(asked);
    if (this.#responses.isEnded) return;
    const { number } = asked;
    if (result.kind === 'value') {
      this.#valueBytes = Math.max(result.value.length, this.#valueBytes * FORGET_PART);
    }
    if (result.kind === 'failed') this.#writer.failed(number, result);
    else if (this.#isFullFor(result.value)) this.#writer.failed(number, this.#unread());
    else this.#writer.value(number, result, copies);
    if (this.#writer.length >= RESPONSE_BYTES) this.#flush();
    else this.#flushSoon();
  }

  /** Once what is happening now is over: the answers of a turn leave together. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
      this.#continue();
    });
  }

  #flush(): void {
    if (this.#writer.length > 0) this.#responses.write(this.#writer.finish());
  }

  #continue(): void {
    if (this.#responses.isEnded) return;
    this.#begin();
    if (!this.#hasAllRequests || this.#open.size + this.#waiting.size > 0) return;
    this.#flush();
    this.#responses.end();
  }

  /** One stream alone neither fills the queue of reads, nor makes more answers than may be unread. */
  get #hasRoom(): boolean {
    const { streamInFlightMax, readQueueMax, streamQueueBytesMax } = this.#host.limits;
    const openMax = Math.min(streamInFlightMax, Math.ceil(readQueueMax * QUEUE_PART));
    const open = this.#open.size;
    if (open >= openMax) return false;
    const unread = this.#responses.queuedBytes + this.#writer.length;
    if (open + unread === 0) return true;
    return unread + (open + 1) * this.#valueBytes < streamQueueBytesMax / 2;
  }

  /** Whether so much is unread that a value more would be too much; a stream with nothing unread takes any. */
  #isFullFor({ length }: Uint8Array): boolean {
    const unread = this.#responses.queuedBytes + this.#writer.length;
    return unread > 0 && unread + length > this.#host.limits.streamQueueBytesMax;
  }

  #unread(): Failure {
    const { streamQueueBytesMax } = this.#host.limits;
    const why = `${streamQueueBytesMax} bytes of answers were not read: read them, then ask again, or for less at once`;
    return failure('OVERLOADED', why);
  }
}

function tooLarge(bytes: number, max: number): string {
  return `a frame has ${bytes} bytes, ${max} are allowed: send several`;
}
