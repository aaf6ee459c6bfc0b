// Ways to upstreams over gRPC: one connection and one WatchMany stream each.

import { DeltabaseError } from '@deltabase/base';
import {
  type AttachLink,
  type AttachListener,
  type DeltasRange,
  type DocumentName,
  type Failure,
  failure,
  type ReplicaPlace,
  type TailDelta,
  type Upstream,
  type UpstreamListener,
  type Upstreams,
} from '@deltabase/engine';
import { type ClientReadableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { failureOfCall } from './call-failure.js';
import type { GrpcUpstreamsOptions } from './client.js';
import { GrpcAttachLink } from './grpc-attach-link.js';
import { METHODS, type WatchManyRequest } from './protos.js';
import { UpstreamStream } from './upstream-stream.js';
import { decodeListedDeltas, decodeWatchMany } from './watch-many-decoder.js';

const READ_MS = 10_000;

export class GrpcUpstreams implements Upstreams {
  readonly #options: GrpcUpstreamsOptions;

  constructor(options: GrpcUpstreamsOptions) {
    this.#options = options;
  }

  connect(address: string, listener: UpstreamListener): Upstream {
    return new GrpcUpstream(address, listener, this.#options);
  }

  attach(address: string, replica: ReplicaPlace, listener: AttachListener): AttachLink {
    return new GrpcAttachLink(address, { replica, listener }, this.#options);
  }
}

class GrpcUpstream implements Upstream {
  readonly #address: string;
  readonly #stream: UpstreamStream<WatchManyRequest, Buffer>;
  /** What the next request says; requests of a moment leave as one. */
  #next = emptyRequest();
  #isLeaving = false;

  constructor(address: string, listener: UpstreamListener, options: GrpcUpstreamsOptions) {
    this.#address = address;
    const method = { ...METHODS.WatchMany, responseDeserialize: asBytes };
    const told = {
      received: (bytes: Buffer) => this.#received(bytes, listener),
      closed: (why: Failure) => listener.closed(why),
    };
    this.#stream = new UpstreamStream(address, method, told, options);
    this.#grant(options.creditBytes);
  }

  watch(id: number, { space, key }: DocumentName, afterSeq: number | undefined): void {
    const name = { space, key, forCopy: true } as const;
    const watch = afterSeq === undefined ? name : { afterSeq, ...name };
    // Of one request what it opens comes first: there may be no room for that before others are closed.
    if (this.#next.close.length > 0 && !this.#stream.isClosed) this.#leave();
    this.#next.open.push({ id, watch });
    this.#leaveSoon();
  }

  unwatch(id: number): void {
    this.#next.close.push(id);
    this.#leaveSoon();
  }

  askHeads(number: number, ids: readonly number[], timeoutMs: number): void {
    this.#next.heads.push({ number, ids, timeoutMs });
    this.#leaveSoon();
  }

  readDeltas(
    { space, key }: DocumentName,
    { fromSeq, bytesMax }: DeltasRange,
    done: (deltas: readonly TailDelta[] | Failure) => void,
  ): void {
    // Its end may be known here already and not where it is told.
    if (this.#stream.isClosed) {
      const why = failure('UNAVAILABLE', `the connection to ${this.#address} has ended`);
      queueMicrotask(() => done(why));
      return;
    }
    const { path, requestSerialize } = METHODS.ListDeltas;
    const call: ClientReadableStream<Buffer> = this.#stream.client.makeServerStreamRequest(
      path,
      requestSerialize,
      asBytes,
      { space, key, fromSeq },
      new Metadata(),
      { deadline: Date.now() + READ_MS },
    );
    const deltas: TailDelta[] = [];
    let bytes = 0;
    let isDone = false;
    const finish = (result: readonly TailDelta[] | Failure): void => {
      if (isDone) return;
      isDone = true;
      call.cancel();
      done(result);
    };
    call.on('data', (response: Buffer) => {
      if (isDone) return;
      try {
        deltas.push(...decodeListedDeltas(response));
      } catch (thrown) {
        finish(this.#failureOf(thrown));
        return;
      }
      bytes += response.length;
      if (bytes >= bytesMax) finish(deltas);
    });
    call.on('end', () => finish(deltas));
    call.on('error', (error: ServiceError) => finish(failureOfCall(this.#address, error)));
  }

  close(): void {
    this.#stream.close();
  }

  #received(bytes: Buffer, listener: UpstreamListener): void {
    let watchedBytes: number;
    try {
      watchedBytes = decodeWatchMany(plainBytes(bytes), listener);
    } catch (thrown) {
      this.#stream.end(this.#failureOf(thrown));
      return;
    }
    // What came is worked off before more is read.
    if (watchedBytes > 0) setImmediate(() => this.#grant(watchedBytes));
  }

  #grant(bytes: number): void {
    this.#next.creditBytes += bytes;
    this.#leaveSoon();
  }

  #leaveSoon(): void {
    if (this.#isLeaving || this.#stream.isClosed) return;
    this.#isLeaving = true;
    queueMicrotask(() => {
      this.#isLeaving = false;
      if (!this.#stream.isClosed) this.#leave();
    });
  }

  #leave(): void {
    this.#stream.write(this.#next);
    this.#next = emptyRequest();
  }

  #failureOf(thrown: unknown): Failure {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return failure('UNAVAILABLE', `${this.#address}: ${thrown.message}`);
  }
}

function emptyRequest(): {
  open: Array<WatchManyRequest['open'][number]>;
  close: number[];
  creditBytes: number;
  heads: Array<WatchManyRequest['heads'][number]>;
} {
  return { open: [], close: [], creditBytes: 0, heads: [] };
}

function asBytes(bytes: Buffer): Buffer {
  return bytes;
}

/** Without the methods of Node.js's Buffer, whose slices are views as well but slower to make. */
function plainBytes({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}
