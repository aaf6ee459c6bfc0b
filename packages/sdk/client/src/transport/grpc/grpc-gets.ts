// Reads of one node over one stream (GetMany): a gRPC call for each costs both sides some ten times as much. The stream is
// opened with the first read and again with the next one after it has ended. The node is told of reads that nobody waits
// for any more. A node that does not know the stream yet, and reads that are not for it, get calls of their own.

import { DeltabaseError } from '@deltabase/base';
import {
  type Client,
  type ClientDuplexStream,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { errorFromWire } from '../../errors.js';
import type { CallOptions } from '../transport.js';
import type { UnaryCalls } from '../wire.js';
import { aborted, callError } from './call-error.js';
import { decodeGetMany, type GetAnswer, type NumberedValue } from './get-many-codec.js';
import { GET_MANY } from './protos.js';
import { soon } from './soon.js';

export type GetRequest = UnaryCalls['Get']['request'];

/** A read without an answer. */
interface Open {
  readonly request: GetRequest;
  readonly options: CallOptions;
  readonly resolve: (answer: GetAnswer | Promise<GetAnswer>) => void;
  readonly reject: (error: DeltabaseError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly abort: () => void;
}

type Stream = ClientDuplexStream<Buffer, Buffer>;

/** Reads of one frame, as many that are given up, and characters of one of them: a frame stays far below what nodes take. */
const FRAME_GETS_MAX = 256;
const GET_CHARACTERS_MAX = 4096;
/** A node that did not know the stream may have been replaced by a newer one. */
const UNKNOWN_MS = 60_000;

export class GrpcGets {
  readonly #client: Client;
  readonly #address: string;
  /** Makes a call of its own. */
  readonly #call: (request: GetRequest, options: CallOptions) => Promise<GetAnswer>;
  readonly #open = new Map<number, Open>();
  /** Numbers of reads that are not sent yet. */
  readonly #unsent = new Set<number>();
  /** Numbers of reads that were sent, and that the node is to be told nobody waits for. */
  #cancels: number[] = [];
  #stream: Stream | undefined;
  #lastNumber = 0;
  /** Reads that begin together leave together. */
  readonly #sendSoon = soon(() => this.#send());
  /** The node does not know the stream; until it is tried again, ms. */
  #unknownUntilMs = 0;
  #isClosed = false;

  constructor(
    client: Client,
    address: string,
    call: (request: GetRequest, options: CallOptions) => Promise<GetAnswer>,
  ) {
    this.#client = client;
    this.#address = address;
    this.#call = call;
  }

  get(request: GetRequest, options: CallOptions): Promise<GetAnswer> {
    const isUnknown = performance.now() < this.#unknownUntilMs;
    if (isUnknown || !isForStream(request)) return this.#call(request, options);
    if (this.#isClosed) return Promise.reject(this.#closed());
    return new Promise((resolve, reject) => {
      const number = ++this.#lastNumber;
      const { timeoutMs, signal } = options;
      const abort = (): void => this.#giveUp(number, aborted(signal));
      const late = (): void => this.#giveUp(number, this.#late());
      const timer = setTimeout(late, timeoutMs);
      signal?.addEventListener('abort', abort, { once: true });
      this.#open.set(number, { request, options, resolve, reject, timer, abort });
      this.#unsent.add(number);
      this.#sendSoon();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.cancel();
    this.#end(this.#closed());
  }

  #closed(): DeltabaseError {
    return new DeltabaseError('UNAVAILABLE', `the connection to ${this.#address} was closed`);
  }

  #send(): void {
    while (this.#unsent.size + this.#cancels.length > 0) {
      this.#stream ??= this.#openStream();
      const stream = this.#stream;
      // It says when it takes more.
      if (stream.writableNeedDrain) return;
      const cancels = this.#cancels.splice(0, FRAME_GETS_MAX);
      stream.write(GET_MANY.requestSerialize({ gets: this.#takeUnsent(), cancels }));
    }
  }

  /** The next reads of a frame. */
  #takeUnsent(): object[] {
    const gets: object[] = [];
    for (const number of this.#unsent) {
      if (gets.length === FRAME_GETS_MAX) break;
      this.#unsent.delete(number);
      const { request, options } = this.#open.get(number)!;
      gets.push({ number, get: request, timeoutMs: options.timeoutMs });
    }
    return gets;
  }

  #openStream(): Stream {
    const stream = this.#client.makeBidiStreamRequest<Buffer, Buffer>(
      GET_MANY.path,
      (bytes) => bytes,
      (bytes) => bytes,
      new Metadata(),
      {},
    );
    const ifCurrent = (run: () => void): void => {
      if (this.#stream === stream) run();
    };
    stream.on('data', (bytes: Buffer) => ifCurrent(() => this.#received(stream, bytes)));
    stream.on('drain', () => ifCurrent(() => this.#send()));
    stream.on('error', (error: ServiceError) => ifCurrent(() => this.#failed(error)));
    // A node ends its side with a status, which comes as an error unless it is OK.
    stream.on('end', () =>
      setImmediate(() =>
        ifCurrent(() =>
          this.#end(
            new DeltabaseError('UNAVAILABLE', `${this.#address} has ended the stream of reads`),
          ),
        ),
      ),
    );
    return stream;
  }

  #received(stream: Stream, bytes: Buffer): void {
    let values: readonly NumberedValue[];
    try {
      values = decodeGetMany(bytes);
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      stream.cancel();
      this.#end(new DeltabaseError('INTERNAL', 'the node sent answers that cannot be read'));
      return;
    }
    for (const { number, value, error } of values) {
      const open = this.#take(number);
      if (value !== undefined) open?.resolve(value);
      else if (error !== undefined) open?.reject(errorFromWire(error));
      else
        open?.reject(new DeltabaseError('INTERNAL', 'the node sent an answer that says nothing'));
    }
  }

  #failed(error: ServiceError): void {
    if (error.code !== status.UNIMPLEMENTED) {
      this.#end(callError(this.#address, error));
      return;
    }
    this.#unknownUntilMs = performance.now() + UNKNOWN_MS;
    this.#endEach(({ request, options, resolve }) => resolve(this.#call(request, options)));
  }

  /** What is open fails with `error`. */
  #end(error: DeltabaseError): void {
    this.#endEach(({ reject }) => reject(error));
  }

  #endEach(how: (open: Open) => void): void {
    this.#stream = undefined;
    this.#unsent.clear();
    this.#cancels = [];
    for (const number of [...this.#open.keys()]) how(this.#take(number)!);
  }

  /** Its caller does not want its answer any more; an older node, which does not know `cancels`, sends it all the same. */
  #giveUp(number: number, why: DeltabaseError): void {
    this.#take(number)?.reject(why);
    if (this.#unsent.delete(number)) return;
    this.#cancels.push(number);
    this.#sendSoon();
  }

  /** Nobody waits for it any more. */
  #take(number: number): Open | undefined {
    const open = this.#open.get(number);
    if (open === undefined) return undefined;
    this.#open.delete(number);
    clearTimeout(open.timer);
    open.options.signal?.removeEventListener('abort', open.abort);
    return open;
  }

  #late(): DeltabaseError {
    return new DeltabaseError('DEADLINE_EXCEEDED', `${this.#address}: no answer in time`);
  }
}

/** Earlier states are had by calls of their own; so is what is so long that others would wait for it. */
function isForStream({ space, key, pointer, atSeq }: GetRequest): boolean {
  return atSeq === undefined && space.length + key.length + pointer.length <= GET_CHARACTERS_MAX;
}
