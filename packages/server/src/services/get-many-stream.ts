// One GetMany call: many reads a frame in, the answers of a turn in one frame out, in whatever order they come. Nothing in
// it grows without bound: with too many reads unanswered, or too many answers unread, it takes no further frames, and
// what then still comes is refused in place of being held.

import { DeltabaseError, type Limits } from '@deltabase/base';
import {
  type DocumentStreams,
  type Failure,
  failure,
  failureOf,
  type ReadResult,
} from '@deltabase/engine';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { decodeGetMany, GetManyWriter, type NumberedGet } from '../wire/get-many-codec.js';
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

/** Answers are sent as they are once they have so many bytes. */
const RESPONSE_BYTES = 256 * 1024;

export class GetManyStream {
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #host: GetManyHost;
  readonly #responses: ResponseStream;
  readonly #writer = new GetManyWriter();
  /** Reads without an answer. */
  #open = 0;
  #isFlushing = false;
  #hasAllRequests = false;

  constructor(call: ServerDuplexStream<Buffer, Buffer>, host: GetManyHost) {
    this.#call = call;
    this.#host = host;
    const events = { drained: () => this.#continue(), closed: () => {} };
    this.#responses = new ResponseStream(call, events, { bytes: host.bytes });
    call.on('data', (frame: Buffer) => this.#received(frame));
    call.on('end', () => {
      this.#hasAllRequests = true;
      this.#continue();
    });
  }

  #received(frame: Buffer): void {
    if (this.#responses.isEnded) return;
    const { frameBytesMax, frameMessagesMax } = this.#host.limits;
    try {
      if (frame.length > frameBytesMax)
        throw invalid(tooMany(frame.length, 'bytes', frameBytesMax));
      const gets = decodeGetMany(frame);
      if (gets.length > frameMessagesMax) {
        throw invalid(tooMany(gets.length, 'reads', frameMessagesMax));
      }
      for (const get of gets) this.#read(get);
    } catch (thrown) {
      this.#responses.end(this.#host.statusOfThrown(thrown));
    }
    if (!this.#hasRoom) this.#call.pause();
  }

  /** What cannot be read is answered with that; other reads of the stream go on. */
  #read({ number, get, timeoutMs }: NumberedGet): void {
    checkCount('number', number);
    const { streams, hints, limits } = this.#host;
    const expiresMs =
      this.#host.nowMs() + Math.min(timeoutMs || Infinity, limits.requestTimeoutMsMax);
    this.#open++;
    try {
      if (get === undefined) throw invalid('it does not say what is to be read');
      if (get.atSeq !== undefined) throw invalid('an earlier seq is not read here: use Get');
      streams.read(readRequestOf(get, limits, expiresMs), (result) => {
        this.#answer(number, result, hints.of(get));
      });
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      this.#answer(number, failureOf(thrown), []);
    }
  }

  #answer(number: number, result: ReadResult, copies: readonly string[]): void {
    this.#open--;
    if (this.#responses.isEnded) return;
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
    if (this.#hasAllRequests && this.#open === 0) {
      this.#flush();
      this.#responses.end();
    } else if (this.#call.isPaused() && this.#hasRoom) {
      this.#call.resume();
    }
  }

  get #hasRoom(): boolean {
    const { streamInFlightMax, streamQueueBytesMax } = this.#host.limits;
    return this.#open < streamInFlightMax && this.#responses.queuedBytes < streamQueueBytesMax / 2;
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

function tooMany(count: number, what: string, max: number): string {
  return `a frame has ${count} ${what}, ${max} are allowed: send several`;
}
