// One WatchMany call: many watches on one stream. What they give in a turn leaves as one response, and no more than
// its receiver has granted: beyond that, and beyond what the node may hold back, each watch waits where the engine
// keeps what it missed. So a stream costs what is on its way, however many documents it follows.

import type { Limits } from '@deltabase/base';
import {
  type ComposedDelta,
  type DocumentName,
  type DocumentStreams,
  type Failure,
  failure,
  type ProgressMark,
  type TailDelta,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from '@deltabase/engine';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  encodeComposedEvent,
  encodeDeltaEvent,
  encodeProgressEvent,
  encodeStateEvent,
} from '../wire/delta-codec.js';
import type { WatchEvent } from '../wire/watch-event.js';
import { type Origin, WatchManyWriter } from '../wire/watch-many-codec.js';
import type { ByteCounts } from './byte-counts.js';
import { checkCount, invalid } from './requests.js';
import { type QueueTotal, ResponseStream } from './response-stream.js';
import type { CallStatus } from './status.js';
import { type WatchFields, watchRequestOf } from './watch-request.js';

/** `WatchManyRequest` as proto-loader gives it. */
export interface WatchManyRequest {
  readonly open: ReadonlyArray<{ readonly id: number; readonly watch: WatchFields | null }>;
  readonly close: readonly number[];
  readonly creditBytes: number;
  readonly heads: readonly HeadsQuestion[];
}

interface HeadsQuestion {
  readonly number: number;
  readonly ids: readonly number[];
  readonly timeoutMs: number;
}

export interface WatchManyHost {
  readonly streams: DocumentStreams;
  readonly limits: Limits;
  /** What all watches of the process hold back. */
  readonly total: QueueTotal;
  readonly bytes?: ByteCounts | undefined;
  readonly origin: OriginFeed;
  nowMs(): number;
  statusOfThrown(thrown: unknown): CallStatus;
}

/** Where what is watched comes from; it may change. */
export interface OriginFeed {
  readonly current: Origin;
  /** Calls `listener` when it changes. Returns how to stop it. */
  listen(listener: () => void): () => void;
}

/** A node's own. */
export const NODE_ORIGIN: OriginFeed = {
  current: { via: [], live: true },
  listen: () => () => {},
};

/** Events are sent as they are once they have so many bytes. */
const RESPONSE_BYTES = 256 * 1024;
/** Questions of one stream that are not answered: whoever asks gathers meanwhile. */
const QUESTIONS_MAX = 16;

export class WatchManyStream {
  readonly #host: WatchManyHost;
  readonly #responses: ResponseStream;
  readonly #writer = new WatchManyWriter();
  readonly #stopListening: () => void;
  readonly #watches = new Map<number, OneOfMany>();
  /** Told to wait for room, longest first. */
  readonly #blocked = new Set<OneOfMany>();
  /** Told to wait until everything has left. */
  readonly #awaitingIdle = new Set<OneOfMany>();
  /** Events that the receiver has room for, bytes; below 0 after one that was larger. */
  #creditBytes = 0;
  /** Events gathered and not written, bytes. */
  #gatheredBytes = 0;
  #questions = 0;
  #isFlushing = false;

  constructor(call: ServerDuplexStream<WatchManyRequest, Buffer>, host: WatchManyHost) {
    this.#host = host;
    this.#responses = new ResponseStream(
      call,
      { drained: () => this.#drained(), closed: () => this.#closed() },
      { queued: host.total, bytes: host.bytes },
    );
    this.#stopListening = host.origin.listen(() => this.#tellOrigin());
    call.on('data', (request: WatchManyRequest) => this.#received(request));
    call.on('end', () => this.#closed());
    this.#tellOrigin();
  }

  /** Whether watch `one` may give more now. */
  mayGive(one: OneOfMany): boolean {
    if (this.#hasRoom) return true;
    this.#blocked.add(one);
    return false;
  }

  isIdle(one: OneOfMany): boolean {
    if (this.#responses.isEnded) return false;
    if (this.#creditBytes > 0 && this.#responses.queuedBytes + this.#gatheredBytes === 0)
      return true;
    this.#awaitingIdle.add(one);
    return false;
  }

  gather(id: number, { bytes }: WatchEvent): void {
    if (this.#responses.isEnded) return;
    if (this.#responses.queuedBytes === 0) this.#writer.reuse();
    this.#writer.event(id, bytes);
    this.#creditBytes -= bytes.length;
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= RESPONSE_BYTES) this.#flush();
    else this.#flushSoon();
  }

  ended(id: number, why: Failure): void {
    this.#forget(id);
    this.#writer.ended(id, why);
    this.#flushSoon();
  }

  get #hasRoom(): boolean {
    const { watchQueueBytesMax, watchQueuesBytesMax } = this.#host.limits;
    if (this.#responses.isEnded || this.#creditBytes <= 0) return false;
    const bytes = this.#responses.queuedBytes + this.#gatheredBytes;
    const isAnyFree = this.#host.total.bytes + this.#gatheredBytes < watchQueuesBytesMax;
    return bytes === 0 || (isAnyFree && bytes < watchQueueBytesMax);
  }

  #received(request: WatchManyRequest): void {
    if (this.#responses.isEnded) return;
    try {
      for (const { id, watch } of request.open) this.#open(id, watch);
      for (const id of request.close) this.#close(id);
      checkCount('credit_bytes', request.creditBytes);
      this.#creditBytes = Math.min(
        this.#creditBytes + request.creditBytes,
        Number.MAX_SAFE_INTEGER,
      );
      for (const question of request.heads) this.#ask(question);
    } catch (thrown) {
      this.#endWith(this.#host.statusOfThrown(thrown));
      return;
    }
    if (request.creditBytes > 0) this.#goOn();
  }

  #open(id: number, fields: WatchFields | null): void {
    checkId(id);
    if (fields === null) throw invalid(`watch ${id} says nothing of what is to be watched`);
    if (this.#watches.has(id)) throw invalid(`there is a watch ${id} on this stream already`);
    const { watchesPerStreamMax } = this.#host.limits;
    if (this.#watches.size >= watchesPerStreamMax) {
      throw invalid(`this stream has ${watchesPerStreamMax} watches: open another one`);
    }
    const request = watchRequestOf(fields);
    const one = new OneOfMany(id, request, this);
    this.#watches.set(id, one);
    one.watch = this.#host.streams.watch(request, one);
  }

  /** What has ended by itself meanwhile is unknown here, and not wrong. */
  #close(id: number): void {
    const one = this.#watches.get(id);
    this.#forget(id);
    one?.watch?.cancel();
  }

  #ask({ number, ids, timeoutMs }: HeadsQuestion): void {
    checkCount('number', number);
    if (++this.#questions > QUESTIONS_MAX) {
      throw invalid(`${QUESTIONS_MAX} questions are open on this stream: await their answers`);
    }
    const names: DocumentName[] = [];
    for (const id of ids) {
      const one = this.#watches.get(id);
      if (one === undefined) {
        this.#answered();
        this.#writer.headsFailed(number, unknown(id));
        this.#flushSoon();
        return;
      }
      names.push(one.request);
    }
    const { requestTimeoutMsMax } = this.#host.limits;
    const expiresMs = this.#host.nowMs() + Math.min(timeoutMs || Infinity, requestTimeoutMsMax);
    this.#host.streams.heads({ names, expiresMs }, (result) => {
      this.#answered();
      if (this.#responses.isEnded) return;
      if (result.kind === 'failed') this.#writer.headsFailed(number, result);
      else this.#writer.heads(number, result.seqs);
      this.#flushSoon();
    });
  }

  #answered(): void {
    this.#questions--;
  }

  #tellOrigin(): void {
    this.#writer.origin(this.#host.origin.current);
    this.#flushSoon();
  }

  /** Once what is happening now is over: the events of a turn leave together. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    this.#gatheredBytes = 0;
    if (this.#writer.isEmpty) return;
    this.#responses.writeFrame(this.#writer.finish());
  }

  #drained(): void {
    if (this.#responses.queuedBytes > this.#host.limits.watchQueueBytesMax / 2) return;
    this.#goOn();
  }

  /** Those that wait get what there is room for, in the order in which they began to wait. */
  #goOn(): void {
    if (this.#responses.queuedBytes + this.#gatheredBytes === 0 && this.#creditBytes > 0) {
      for (const one of this.#awaitingIdle) {
        this.#awaitingIdle.delete(one);
        one.watch?.resume();
      }
    }
    if (!this.#hasRoom) return;
    for (const one of this.#blocked) {
      this.#blocked.delete(one);
      one.watch?.resume();
    }
  }

  #forget(id: number): void {
    const one = this.#watches.get(id);
    if (one === undefined) return;
    this.#watches.delete(id);
    this.#blocked.delete(one);
    this.#awaitingIdle.delete(one);
  }

  #endWith(status: CallStatus): void {
    this.#flush();
    this.#responses.end(status);
    this.#closed();
  }

  #closed(): void {
    this.#stopListening();
    for (const id of [...this.#watches.keys()]) this.#close(id);
    this.#responses.end();
  }
}

/** One watch of them. */
class OneOfMany implements WatchSink {
  readonly id: number;
  readonly request: WatchRequest;
  watch: Watch | undefined;
  readonly #stream: WatchManyStream;

  constructor(id: number, request: WatchRequest, stream: WatchManyStream) {
    this.id = id;
    this.request = request;
    this.#stream = stream;
  }

  get ready(): boolean {
    return this.#stream.mayGive(this);
  }

  get idle(): boolean {
    return this.#stream.isIdle(this);
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.#stream.gather(this.id, encodeStateEvent(seq, piece, hash));
  }

  delta(delta: TailDelta): void {
    this.#stream.gather(this.id, encodeDeltaEvent(delta));
  }

  composed(delta: ComposedDelta): void {
    this.#stream.gather(this.id, encodeComposedEvent(delta));
  }

  progress(mark: ProgressMark): void {
    this.#stream.gather(this.id, encodeProgressEvent(mark));
  }

  flush(): void {}

  end(why: Failure): void {
    this.#stream.ended(this.id, why);
  }
}

function checkId(id: number): void {
  checkCount('id', id);
  if (id === 0) throw invalid('a watch needs an id: count them from 1');
}

function unknown(id: number): Failure {
  return failure('INVALID_ARGUMENT', `there is no watch ${id} on this stream`);
}
