// One WatchMany call: how its requests are read, and what its watches give is written.

import { DeltabaseError, type Limits } from '@deltabase/base';
import {
  type ComposedDelta,
  type DocumentStreams,
  type Failure,
  failure,
  type HeadSeqs,
  ManyWatches,
  type ManyWatchesSink,
  type Origin,
  type OriginFeed,
  type ProgressMark,
  type TailDelta,
  type WatchRequest,
} from '@deltabase/engine';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  encodeComposedEvent,
  encodeDeltaEvent,
  encodeProgressEvent,
  encodeStateEvent,
} from '../wire/delta-codec.js';
import type { WatchEvent } from '../wire/watch-event.js';
import { WatchManyWriter } from '../wire/watch-many-codec.js';
import type { ByteCounts } from './byte-counts.js';
import type { CopyHints } from './copy-hints.js';
import { checkCount, invalid } from './requests.js';
import { type QueueTotal, ResponseStream } from './response-stream.js';
import type { CallStatus } from './status.js';
import { type WatchFields, watchRequestOf } from './watch-request.js';
import { WatchedCopies } from './watched-copies.js';

/** `WatchManyRequest` as proto-loader gives it. */
export interface WatchManyRequest {
  readonly open: readonly OpenedWatch[];
  readonly close: readonly number[];
  readonly creditBytes: number;
  readonly heads: readonly HeadsQuestion[];
  readonly taken: readonly number[];
}

interface OpenedWatch {
  readonly id: number;
  readonly watch: WatchFields | null;
  readonly awaitsTaken: boolean;
}

interface HeadsQuestion {
  readonly number: number;
  readonly ids: readonly number[];
  readonly timeoutMs: number;
}

export interface WatchManyHost {
  readonly streams: DocumentStreams;
  readonly hints: Pick<CopyHints, 'of' | 'follow'>;
  readonly limits: Limits;
  /** What all watches of the process hold back. */
  readonly total: QueueTotal;
  readonly bytes?: ByteCounts | undefined;
  readonly origin: OriginFeed;
  nowMs(): number;
  statusOfThrown(thrown: unknown): CallStatus;
}

export class WatchManyStream {
  readonly #host: WatchManyHost;
  readonly #responses: ResponseStream;
  readonly #watches: ManyWatches;
  readonly #copies: WatchedCopies;

  constructor(call: ServerDuplexStream<WatchManyRequest, Buffer>, host: WatchManyHost) {
    const { streams, limits, origin, total, bytes } = host;
    this.#host = host;
    this.#responses = new ResponseStream(
      call,
      { drained: () => this.#drained(), closed: () => this.#closed() },
      { queued: total, bytes },
    );
    this.#copies = new WatchedCopies(host.hints, () => this.#hint());
    const sink = new ResponseSink(this.#responses, this.#copies, total);
    this.#watches = new ManyWatches({
      ...{ streams, limits, origin, sink },
      nowMs: () => host.nowMs(),
    });
    call.on('data', (request: WatchManyRequest) => this.#received(request));
    call.on('end', () => this.#closed());
  }

  #received({ open, close, creditBytes, heads, taken }: WatchManyRequest): void {
    if (this.#responses.isEnded) return;
    try {
      for (const opened of open) this.#open(opened);
      for (const id of close) {
        this.#watches.close(id);
        this.#copies.remove(id);
      }
      checkCount('credit_bytes', creditBytes);
      for (const { number, ids, timeoutMs } of heads) {
        checkCount('number', number);
        this.#watches.askHeads(number, ids, timeoutMs);
      }
    } catch (thrown) {
      this.#endWith(this.#host.statusOfThrown(thrown));
      return;
    }
    this.#watches.grant(creditBytes);
    for (const id of taken) this.#watches.taken(id);
    this.#hint();
  }

  #drained(): void {
    this.#watches.drained();
    this.#hint();
  }

  /** Copies are told of at once; to a client that reads slowly with the next events, or when it has read all before. */
  #hint(): void {
    if (this.#copies.hasNews && this.#responses.queuedBytes === 0) this.#watches.flush();
  }

  #open({ id, watch: fields, awaitsTaken }: OpenedWatch): void {
    checkCount('id', id);
    if (fields === null) throw invalid(`watch ${id} says nothing of what is to be watched`);
    let request: WatchRequest;
    try {
      request = watchRequestOf(fields);
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      this.#watches.refuse(id, failure(thrown.code, thrown.message));
      return;
    }
    this.#watches.open(id, request, awaitsTaken);
    if (request.forCopy) return;
    if (this.#watches.isOpen(id)) this.#copies.add(id, request);
    // Refused, it is told where else to go.
    else this.#copies.tell(id, request);
  }

  #endWith(status: CallStatus): void {
    this.#watches.flush();
    this.#responses.end(status);
    this.#closed();
  }

  #closed(): void {
    this.#watches.end();
    this.#copies.end();
    this.#responses.end();
  }
}

/** Gathers one response. */
class ResponseSink implements ManyWatchesSink {
  readonly #responses: ResponseStream;
  readonly #copies: WatchedCopies;
  readonly #total: QueueTotal;
  readonly #writer = new WatchManyWriter();

  constructor(responses: ResponseStream, copies: WatchedCopies, total: QueueTotal) {
    this.#responses = responses;
    this.#copies = copies;
    this.#total = total;
  }

  get queuedBytes(): number {
    return this.#responses.queuedBytes;
  }

  get totalQueuedBytes(): number {
    return this.#total.bytes;
  }

  state(ids: readonly number[], seq: number, piece: Uint8Array, hash: string | undefined): number {
    return this.#event(ids, encodeStateEvent(seq, piece, hash));
  }

  delta(ids: readonly number[], delta: TailDelta): number {
    return this.#event(ids, encodeDeltaEvent(delta));
  }

  composed(ids: readonly number[], delta: ComposedDelta): number {
    return this.#event(ids, encodeComposedEvent(delta));
  }

  progress(ids: readonly number[], mark: ProgressMark): number {
    return this.#event(ids, encodeProgressEvent(mark));
  }

  ended(id: number, why: Failure): void {
    this.#copies.remove(id);
    this.#writer.ended(id, why);
  }

  heads(number: number, heads: HeadSeqs | Failure): void {
    if ('code' in heads) this.#writer.headsFailed(number, heads);
    else this.#writer.heads(number, heads);
  }

  origin(origin: Origin): void {
    this.#writer.origin(origin);
  }

  flush(): void {
    for (const { ids, hint } of this.#copies.takeNews()) this.#writer.copies(ids, hint);
    if (!this.#writer.isEmpty) this.#responses.writeFrame(this.#writer.finish());
  }

  soon(run: () => void): void {
    queueMicrotask(run);
  }

  #event(ids: readonly number[], { bytes }: WatchEvent): number {
    if (this.#responses.queuedBytes === 0) this.#writer.reuse();
    return this.#writer.event(ids, bytes);
  }
}
