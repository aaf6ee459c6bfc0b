// One reader of a storm, written as every client of gRPC may be: many reads in a frame (GetMany), the next frame once all of them
// are answered, and it goes where the answers say that copies are. It knows a few fields of the protocol and costs
// little beside what it asks of a server, since what readers cost on their own machines is not what is measured.

import type { Client, ClientDuplexStream } from '@grpc/grpc-js';
import { FieldWriter, readFields } from '../raw/protobuf.js';
import { connectRaw, identity } from '../raw/raw-calls.js';

export interface LeanReaderOptions {
  /** Where it begins, and goes back to when a copy fails it: host:port. */
  readonly home: string;
  readonly space: string;
  readonly key: string;
  /** Reads in a frame. */
  readonly readsAtOnce: number;
  /** What all readers have seen and been told. */
  readonly seen: Seen;
}

/** Nobody sees less than anybody saw before he asked: reads are linearizable. */
export interface Seen {
  seq: number;
  reads: number;
  refused: number;
}

const GET_MANY = '/deltabase.v1.DocumentsService/GetMany';
/** Before it asks again where it was refused, or lost its stream. */
const REST_MS = 100;
/** So often it asks at home for news of copies; at least, and up to twice that. */
const NEWS_MS = 5000;

/** A stream of reads to a process, with a connection of its own. */
interface Stream {
  readonly address: string;
  readonly client: Client;
  readonly call: ClientDuplexStream<Buffer, Buffer>;
}

export class LeanReader {
  readonly #options: LeanReaderOptions;
  readonly #frame: Buffer;
  #home: Stream | undefined;
  /** While it reads there. */
  #copy: Stream | undefined;
  /** Where its frame went. */
  #asked: Stream | undefined;
  /** When it asks at home for news, ms. */
  #newsMs = 0;
  #isStopped = false;
  /** Reads of the frame without an answer. */
  #left = 0;
  #refused = 0;
  /** What anybody had seen when the frame was sent. */
  #floor = 0;
  /** Addresses of copies, by the last answer. */
  #copies: string[] = [];

  constructor(options: LeanReaderOptions) {
    this.#options = options;
    this.#frame = frameOf(options);
    this.#ask();
  }

  stop(): void {
    this.#isStopped = true;
    end(this.#home);
    end(this.#copy);
  }

  #ask(): void {
    if (this.#isStopped) return;
    const { home, readsAtOnce, seen } = this.#options;
    const isDue = performance.now() >= this.#newsMs;
    if (isDue) this.#newsMs = performance.now() + NEWS_MS * (1 + Math.random());
    if (isDue || this.#copy === undefined) this.#home ??= this.#open(home);
    this.#asked = isDue ? this.#home : (this.#copy ?? this.#home);
    this.#left = readsAtOnce;
    this.#refused = 0;
    this.#floor = seen.seq;
    this.#copies = [];
    this.#asked!.call.write(this.#frame);
  }

  #open(address: string): Stream {
    const client = connectRaw(address);
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(GET_MANY, identity, identity);
    const stream: Stream = { address, client, call };
    call.on('data', (bytes: Buffer) => {
      if (stream === this.#asked) this.#received(bytes);
    });
    const lost = (): void => this.#lost(stream);
    call.on('error', lost);
    call.on('end', lost);
    return stream;
  }

  #lost(stream: Stream): void {
    if (stream !== this.#home && stream !== this.#copy) return;
    this.#drop(stream);
    if (stream !== this.#asked) return;
    this.#options.seen.refused += this.#left;
    this.#askLater();
  }

  #drop(stream: Stream): void {
    if (stream === this.#home) this.#home = undefined;
    if (stream === this.#copy) this.#copy = undefined;
    end(stream);
  }

  #askLater(): void {
    this.#asked = undefined;
    setTimeout(() => this.#ask(), REST_MS);
  }

  #received(bytes: Buffer): void {
    readFields(bytes, 0, bytes.length, (_field, _value, start, end) => {
      this.#answered(bytes, start, end);
    });
    if (this.#left > 0) return;
    const { seen } = this.#options;
    seen.refused += this.#refused;
    if (this.#asked === this.#home) this.#choose();
    else if (this.#refused > 0) this.#drop(this.#asked!);
    if (this.#refused > 0) this.#askLater();
    else this.#ask();
  }

  /** Of the copies that it was told of one is drawn by chance; where there is none it stays at home. */
  #choose(): void {
    const address = this.#copies[Math.floor(Math.random() * this.#copies.length)];
    if (address === this.#copy?.address) return;
    if (this.#copy !== undefined) this.#drop(this.#copy);
    if (address !== undefined) this.#copy = this.#open(address);
  }

  /** A NumberedValue. */
  #answered(bytes: Buffer, start: number, end: number): void {
    this.#left--;
    readFields(bytes, start, end, (field, _value, from, to) => {
      if (field === 2) this.#valued(bytes, from, to);
      else if (field === 3) this.#refused++;
    });
  }

  /** A GetResponse. */
  #valued(bytes: Buffer, start: number, end: number): void {
    const { seen } = this.#options;
    const copies: string[] = [];
    seen.reads++;
    readFields(bytes, start, end, (field, value, from, to) => {
      if (field === 1) {
        if (value < this.#floor) throw new Error(`a read gave seq ${value} after ${this.#floor}`);
        seen.seq = Math.max(seen.seq, value);
      } else if (field === 5) {
        copies.push(bytes.toString('utf8', from, to));
      }
    });
    this.#copies = copies;
  }
}

function end(stream: Stream | undefined): void {
  stream?.call.cancel();
  stream?.client.close();
}

/** A GetManyRequest: the same linearizable read so often. */
function frameOf({ space, key, readsAtOnce }: LeanReaderOptions): Buffer {
  const get = new FieldWriter().bytes(1, space).bytes(2, key).finish();
  const frame = new FieldWriter();
  for (let number = 1; number <= readsAtOnce; number++) {
    frame.bytes(1, new FieldWriter().number(1, number).bytes(2, get).finish());
  }
  return frame.finish();
}
