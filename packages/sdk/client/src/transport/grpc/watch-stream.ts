// One WatchMany call: watches begin and end on it, each with the reader that gets what comes for it.

import { DeltabaseError, LENGTH_DELIMITED, WireReader } from '@deltabase/base';
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
import { soon } from './soon.js';
import type { Arrival, WatchReader } from './watch-reader.js';

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

/** Watches that one frame opens. */
const FRAME_WATCHES_MAX = 256;
/** About what an event takes in memory beside its bytes. */
const EVENT_BYTES = 100;
/** `WatchManyResponse.watched`. */
const WATCHED_TAG = (1 << 3) | LENGTH_DELIMITED;

/** How many watches a stream to a node may have: less than our limit if the node says so. */
export interface StreamRoom {
  watchesMax: number;
}

export interface WatchStreamOptions {
  readonly client: Client;
  readonly address: string;
  readonly limits: ClientLimits;
  readonly room: StreamRoom;
  /** Called once, when no watch can begin here any more; the node may not know such streams. */
  readonly ended: (isUnknown: boolean) => void;
}

export class WatchStream {
  readonly #address: string;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #limits: ClientLimits;
  readonly #room: StreamRoom;
  readonly #ended: (isUnknown: boolean) => void;
  readonly #readers = new Map<number, WatchReader>();
  /** The bytes that open watches of which the node does not know yet, by id; and the ids of those that it is to end. */
  readonly #unsent = new Map<number, Buffer>();
  #closed: number[] = [];
  /** Watches of which everything was taken that came, and the node is to be told so. */
  readonly #taken = new Set<number>();
  /** What more may come than the node knows of. */
  #ungrantedBytes: number;
  #lastId = 0;
  /** Watches that begin together are told of together. */
  readonly #sendSoon = soon(() => this.#send());
  #isEnded = false;

  constructor({ client, address, limits, room, ended }: WatchStreamOptions) {
    this.#address = address;
    this.#limits = limits;
    this.#room = room;
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
    this.#call.on('error', (error: ServiceError) => {
      const isUnknown = error.code === status.UNIMPLEMENTED;
      this.#end(isUnknown ? this.#endedByNode() : callError(address, error), isUnknown);
    });
    // A node ends its side with a status, which comes as an error unless it is OK.
    this.#call.on('end', () => setImmediate(() => this.#end(this.#endedByNode())));
  }

  /** Whether another watch may begin here. */
  get hasRoom(): boolean {
    return this.#readers.size < this.#room.watchesMax;
  }

  /**
   * Begins a watch, whose events are for `reader`. Returns its id. Throws INVALID_ARGUMENT for what cannot be said, `OnlyApart`
   * for what is so long that others would wait for it.
   */
  open(request: Request, reader: WatchReader): number {
    if (this.#readers.size === 0) this.#endSoon();
    const id = ++this.#lastId;
    const opened = openedBytes(id, request);
    if (opened.length > this.#limits.frameBytesMax) {
      throw new OnlyApart(`a watch that takes ${opened.length} bytes to ask for`);
    }
    this.#readers.set(id, reader);
    this.#unsent.set(id, opened);
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
    let creditBytes: number;
    try {
      response = WATCH_MANY.responseDeserialize(bytes) as WatchManyResponse;
      creditBytes = watchedBytes(bytes);
    } catch (cause) {
      const why = `${this.#address} sent events that cannot be read`;
      this.#end(new DeltabaseError('INTERNAL', why, { cause }));
      return;
    }
    for (const { ids, events } of response.watched) {
      for (const event of events) takeOut(event);
      const size = events.reduce((sum, event) => sum + bytesOf(event), 0);
      this.#give(ids, { response: { events }, bytes: size, holders: 0 });
    }
    for (const { ids, copies } of response.copies) {
      this.#give(ids, { response: { events: [], copies }, bytes: EVENT_BYTES, holders: 0 });
    }
    for (const { id, error } of response.ended) {
      this.#readers.get(id)?.end(error === null ? this.#endedByNode() : this.#endOf(error));
      this.#readers.delete(id);
    }
    if (this.#readers.size === 0) this.#endSoon();
    if (creditBytes === 0) return;
    // What came is worked off before more is read.
    setImmediate(() => {
      this.#ungrantedBytes += creditBytes;
      this.#sendSoon();
    });
  }

  #give(ids: readonly number[], arrival: Arrival): void {
    for (const id of ids) {
      if (this.#readers.get(id)?.add(arrival) === false) this.close(id);
    }
  }

  /** Why the node has ended a watch. Where it has less room on a stream than we thought, there are more streams from now on. */
  #endOf(error: WireError): DeltabaseError {
    const most = Number(error.details['watchesPerStreamMax']);
    if (most > 0) this.#room.watchesMax = Math.min(this.#room.watchesMax, most);
    return errorFromWire(error);
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

  /** Unless there is a watch by then. */
  #endSoon(): void {
    setImmediate(() => {
      if (this.#readers.size === 0) this.#end(this.#endedByNode());
    });
  }

  #send(): void {
    if (this.#isEnded) return;
    while (this.#hasSomethingToSay) {
      // It says when it takes more.
      if (this.#call.writableNeedDrain) return;
      const taken = [...this.#taken];
      const rest = { close: this.#closed, creditBytes: this.#ungrantedBytes, taken };
      this.#closed = [];
      this.#taken.clear();
      this.#ungrantedBytes = 0;
      // Messages of one kind behind each other are one message.
      this.#call.write(Buffer.concat([...this.#takeUnsent(), WATCH_MANY.requestSerialize(rest)]));
    }
  }

  /** The next watches of a frame: it stays far below what nodes take. */
  #takeUnsent(): Buffer[] {
    const open: Buffer[] = [];
    let bytes = 0;
    for (const [id, opened] of this.#unsent) {
      bytes += opened.length;
      if (open.length === FRAME_WATCHES_MAX || bytes > this.#limits.frameBytesMax) break;
      this.#unsent.delete(id);
      open.push(opened);
    }
    return open;
  }

  get #hasSomethingToSay(): boolean {
    return this.#unsent.size + this.#closed.length + this.#taken.size + this.#ungrantedBytes > 0;
  }

  #end(why: DeltabaseError, isUnknown = false): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#ended(isUnknown);
    for (const reader of this.#readers.values()) reader.end(why);
    this.#readers.clear();
    this.#unsent.clear();
    this.#call.cancel();
  }

  #endedByNode(): DeltabaseError {
    return new DeltabaseError('UNAVAILABLE', `${this.#address} has ended the watch`);
  }
}

/** The part of a request that opens a watch. */
function openedBytes(id: number, watch: Request): Buffer {
  try {
    return WATCH_MANY.requestSerialize({ open: [{ id, watch, awaitsTaken: awaitsTaken(watch) }] });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeltabaseError('INVALID_ARGUMENT', `a watch that cannot be: ${reason}`, { cause });
  }
}

/** What a response takes of what was granted. */
function watchedBytes(response: Uint8Array): number {
  const reader = new WireReader(response);
  let bytes = 0;
  while (!reader.isAtEnd) {
    const start = reader.at;
    const tag = reader.tag();
    reader.skip(tag);
    if (tag === WATCHED_TAG) bytes += reader.at - start;
  }
  return bytes;
}

/** An event while nobody else has it. */
interface Decoded {
  readonly state?: { piece: Uint8Array } | null;
  readonly delta?: { patch: Uint8Array; readonly cause: { payload: Uint8Array } | null } | null;
  readonly composed?: { patch: Uint8Array } | null;
}

/** Has an event keep the buffer in memory that it came in only if it is most of that. */
function takeOut(event: WireWatchEvent): void {
  const own = (part: Uint8Array): Uint8Array =>
    part.length * 2 > part.buffer.byteLength ? part : Uint8Array.prototype.slice.call(part);
  const { state, delta, composed }: Decoded = event;
  if (delta != null) {
    delta.patch = own(delta.patch);
    if (delta.cause !== null) delta.cause.payload = own(delta.cause.payload);
  } else if (composed != null) composed.patch = own(composed.patch);
  else if (state != null) state.piece = own(state.piece);
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
