// One WatchMany call: watches begin and end on it, each with the reader that gets what comes for it.

import { DeltabaseError } from '@deltabase/base';
import {
  type Client,
  type ClientDuplexStream,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { errorFromWire } from '../../errors.js';
import type { ClientLimits } from '../../limits.js';
import { OnlyApart } from '../transport.js';
import type { StreamCalls, WireError, WireWatchEvent } from '../wire.js';
import { callError } from './call-error.js';
import { WATCH_MANY } from './protos.js';
import type { WatchReader } from './watch-reader.js';

type Request = StreamCalls['Watch']['request'];

/** `WatchManyResponse` as proto-loader gives it. */
interface WatchManyResponse {
  readonly watched: ReadonlyArray<{
    readonly events: readonly WireWatchEvent[];
    readonly ids: readonly number[];
  }>;
  readonly ended: ReadonlyArray<{ readonly id: number; readonly error: WireError | null }>;
  readonly copies: ReadonlyArray<{
    readonly ids: readonly number[];
    readonly copies: readonly string[];
  }>;
}

/** Watches that one frame opens: it stays far below what nodes take. */
const FRAME_WATCHES_MAX = 256;
/** About what an event takes beside its bytes. */
const EVENT_BYTES = 256;

export class WatchStream {
  readonly #address: string;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #ended: () => void;
  readonly #readers = new Map<number, WatchReader>();
  /** Watches that the node does not know of yet, by id, and the ids of those that it is to end. */
  readonly #unsent = new Map<number, Request>();
  #closed: number[] = [];
  /** Watches of which everything was taken that came, and the node is to be told so. */
  readonly #taken = new Set<number>();
  /** What more may come than the node knows of. */
  #ungrantedBytes: number;
  #lastId = 0;
  #isSending = false;
  #isEnded = false;

  /** `ended` is called once, when no watch can begin here any more. */
  constructor(client: Client, address: string, limits: ClientLimits, ended: () => void) {
    this.#address = address;
    this.#ended = ended;
    this.#ungrantedBytes = limits.watchCreditBytes;
    this.#call = client.makeBidiStreamRequest<Buffer, Buffer>(
      WATCH_MANY.path,
      (bytes) => bytes,
      (bytes) => bytes,
      new Metadata(),
      {},
    );
    this.#call.on('data', (bytes: Buffer) => this.#received(bytes));
    this.#call.on('drain', () => this.#send());
    this.#call.on('error', (error: ServiceError) => this.#end(this.#errorOf(error)));
    // A node ends its side with a status, which comes as an error unless it is OK.
    this.#call.on('end', () => setImmediate(() => this.#end(this.#endedByNode())));
  }

  /** Watches that are open. */
  get size(): number {
    return this.#readers.size;
  }

  /** Begins a watch, whose events are for `reader`. Returns its id. */
  open(request: Request, reader: WatchReader): number {
    const id = ++this.#lastId;
    this.#readers.set(id, reader);
    this.#unsent.set(id, request);
    if (awaitsTaken(request)) {
      reader.taken = () => {
        this.#taken.add(id);
        this.#sendSoon();
      };
    }
    this.#sendSoon();
    return id;
  }

  /** Ends a watch, unless it has ended. Without any the stream ends, soon: another one may begin meanwhile. */
  close(id: number): void {
    if (this.#readers.delete(id)) this.#forget(id);
  }

  /** Ends all of them. */
  cancel(why: DeltabaseError): void {
    this.#end(why);
  }

  #received(bytes: Buffer): void {
    if (this.#isEnded) return;
    let response: WatchManyResponse;
    try {
      response = WATCH_MANY.responseDeserialize(bytes) as WatchManyResponse;
    } catch (cause) {
      const why = `${this.#address} sent events that cannot be read`;
      this.#end(new DeltabaseError('INTERNAL', why, { cause }));
      return;
    }
    for (const { ids, events } of response.watched) {
      const size = events.reduce((sum, event) => sum + bytesOf(event), 0);
      // All of them have the same one.
      for (const id of ids) this.#give(id, { events }, Math.ceil(size / ids.length));
    }
    for (const { ids, copies } of response.copies) {
      for (const id of ids) this.#give(id, { events: [], copies }, EVENT_BYTES);
    }
    for (const { id, error } of response.ended) {
      this.#readers.get(id)?.end(error === null ? this.#endedByNode() : errorFromWire(error));
      this.#readers.delete(id);
    }
    if (this.#readers.size === 0) this.#endSoon();
    // What came is worked off before more is read.
    setImmediate(() => {
      this.#ungrantedBytes += bytes.length;
      this.#sendSoon();
    });
  }

  #give(id: number, response: StreamCalls['Watch']['response'], bytes: number): void {
    if (this.#readers.get(id)?.add(response, bytes) === false) this.close(id);
  }

  /** The node is told that a watch has ended here. */
  #forget(id: number): void {
    this.#taken.delete(id);
    if (!this.#unsent.delete(id)) {
      this.#closed.push(id);
      this.#sendSoon();
    }
    if (this.#readers.size === 0) this.#endSoon();
  }

  #endSoon(): void {
    setImmediate(() => {
      if (this.#readers.size === 0) this.#end(this.#endedByNode());
    });
  }

  /** Once what is happening now is over: watches that begin together are told of together. */
  #sendSoon(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    queueMicrotask(() => {
      this.#isSending = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#isEnded) return;
    while (this.#hasSomethingToSay) {
      // It says when it takes more.
      if (this.#call.writableNeedDrain) return;
      const open: object[] = [];
      for (const [id, watch] of this.#unsent) {
        if (open.length === FRAME_WATCHES_MAX) break;
        this.#unsent.delete(id);
        open.push({ id, watch, awaitsTaken: awaitsTaken(watch) });
      }
      const taken = [...this.#taken];
      const request = { open, close: this.#closed, creditBytes: this.#ungrantedBytes, taken };
      this.#closed = [];
      this.#taken.clear();
      this.#ungrantedBytes = 0;
      this.#call.write(WATCH_MANY.requestSerialize(request));
    }
  }

  get #hasSomethingToSay(): boolean {
    return this.#unsent.size + this.#closed.length + this.#taken.size + this.#ungrantedBytes > 0;
  }

  #end(why: DeltabaseError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#ended();
    for (const reader of this.#readers.values()) reader.end(why);
    this.#readers.clear();
    this.#unsent.clear();
    this.#call.cancel();
  }

  #endedByNode(): DeltabaseError {
    return new DeltabaseError('UNAVAILABLE', `${this.#address} has ended the watch`);
  }

  #errorOf(error: ServiceError): DeltabaseError {
    return error.code === status.UNIMPLEMENTED
      ? new OnlyApart(`${this.#address} does not know streams of many watches`)
      : callError(this.#address, error);
  }
}

/** Who wants the latest wants what is so when it is read. */
function awaitsTaken({ policy }: Request): boolean {
  return policy !== undefined && policy !== 'WATCH_POLICY_EVERY';
}

/** About what an event takes in memory. */
function bytesOf({ state, delta, composed }: WireWatchEvent): number {
  const own = state?.piece.length ?? delta?.patch.length ?? composed?.patch.length ?? 0;
  return EVENT_BYTES + own + (delta?.cause?.payload.length ?? 0);
}
