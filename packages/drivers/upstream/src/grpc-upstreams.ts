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
import { Connection } from '@deltabase/grpc-connection';
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { failureOfCall } from './call-failure.js';
import { type GrpcUpstreamsOptions, makeClient } from './client.js';
import { GrpcAttachLink } from './grpc-attach-link.js';
import { METHODS, type WatchManyRequest } from './protos.js';
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
  readonly #connection = new Connection();
  readonly #client: Client;
  readonly #call: ClientDuplexStream<WatchManyRequest, Buffer>;
  /** What the next request says; requests of a moment leave as one. */
  #next = emptyRequest();
  #isLeaving = false;
  #isClosed = false;

  constructor(address: string, listener: UpstreamListener, options: GrpcUpstreamsOptions) {
    this.#address = address;
    this.#client = makeClient(address, this.#connection, options);
    const { path, requestSerialize } = METHODS.WatchMany;
    this.#call = this.#client.makeBidiStreamRequest<WatchManyRequest, Buffer>(
      path,
      requestSerialize,
      asBytes,
      new Metadata(),
      {},
    );
    this.#call.on('data', (bytes: Buffer) => this.#received(bytes, listener));
    this.#call.on('error', (error: ServiceError) => {
      if (!this.#isClosed) listener.closed(failureOfCall(address, error));
      this.close();
    });
    this.#call.on('end', () => {
      if (this.#isClosed) return;
      listener.closed(failure('UNAVAILABLE', `${address} has ended the stream`));
      this.close();
    });
    this.#grant(options.creditBytes);
  }

  watch(id: number, { space, key }: DocumentName, afterSeq: number | undefined): void {
    const name = { space, key, forCopy: true } as const;
    const watch = afterSeq === undefined ? name : { afterSeq, ...name };
    // Of one request what it opens comes first: there may be no room for that before others are closed.
    if (this.#next.close.length > 0 && !this.#isClosed) this.#leave();
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
    if (this.#isClosed) {
      const why = failure('UNAVAILABLE', `the connection to ${this.#address} has ended`);
      queueMicrotask(() => done(why));
      return;
    }
    const { path, requestSerialize } = METHODS.ListDeltas;
    const call: ClientReadableStream<Buffer> = this.#client.makeServerStreamRequest(
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
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#call.cancel();
    this.#client.close();
    this.#connection.destroy();
  }

  #received(bytes: Buffer, listener: UpstreamListener): void {
    if (this.#isClosed) return;
    try {
      decodeWatchMany(plainBytes(bytes), listener);
    } catch (thrown) {
      listener.closed(this.#failureOf(thrown));
      this.close();
      return;
    }
    // What came is worked off before more is read.
    setImmediate(() => this.#grant(bytes.length));
  }

  #grant(bytes: number): void {
    this.#next.creditBytes += bytes;
    this.#leaveSoon();
  }

  #leaveSoon(): void {
    if (this.#isLeaving || this.#isClosed) return;
    this.#isLeaving = true;
    queueMicrotask(() => {
      this.#isLeaving = false;
      if (!this.#isClosed) this.#leave();
    });
  }

  #leave(): void {
    this.#call.write(this.#next);
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
