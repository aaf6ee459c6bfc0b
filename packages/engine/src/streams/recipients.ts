// Watches of one stream that get the same events. Each watch begins by itself; those of a document that have come to the
// same seq go on as one, so that a stream costs its process what one watch does, however many of it there are.

import type { TailDelta } from '../documents/tail.js';
import type { Failure } from '../results.js';
import type { ComposedDelta } from './composed-delta.js';
import type { ProgressMark } from './document-views.js';
import type { ManyWatchesSink } from './many-watches.js';
import type { Watch, WatchSink } from './watcher.js';
import type { WatchRequest } from './watches.js';

export interface RecipientsHost {
  readonly sink: ManyWatchesSink;
  /** Whether they may be given more now; if not, their watch is resumed later. */
  mayGive(recipients: Recipients): boolean;
  /** Whether everything has left; if not, their watch is resumed when it has. */
  isIdle(recipients: Recipients): boolean;
  /** They were given an event that takes so many bytes. */
  gave(bytes: number): void;
  /** They have all events up to `seq`. */
  cameTo(recipients: Recipients, seq: number): void;
  /** Their watch has ended by itself. */
  ended(recipients: Recipients, why: Failure): void;
}

export interface RecipientsOptions {
  readonly host: RecipientsHost;
  /** Whether the receiver says when it has taken what it was given. */
  readonly awaitsTaken: boolean;
}

const NONE: readonly number[] = [];

export class Recipients implements WatchSink {
  readonly request: WatchRequest;
  watch: Watch | undefined;
  readonly #host: RecipientsHost;
  readonly #awaitsTaken: boolean;
  /** The receiver has not said that it has taken what it was given last. */
  #isUntaken = false;
  readonly #ids: Set<number>;
  /** The ids as they are told; `undefined` once they have changed. */
  #told: readonly number[] | undefined;

  constructor(id: number, request: WatchRequest, { host, awaitsTaken }: RecipientsOptions) {
    this.request = request;
    this.#host = host;
    this.#awaitsTaken = awaitsTaken;
    this.#ids = new Set([id]);
  }

  /** The watches, by id. */
  get ids(): readonly number[] {
    this.#told ??= [...this.#ids];
    return this.#told;
  }

  get receivers(): number {
    return this.#ids.size;
  }

  get isEmpty(): boolean {
    return this.#ids.size === 0;
  }

  add(ids: readonly number[]): void {
    for (const id of ids) this.#ids.add(id);
    this.#changed();
  }

  remove(id: number): void {
    this.#ids.delete(id);
    this.#changed();
  }

  /** They are others' from now on, or nobody's. Returns them. */
  takeAll(): readonly number[] {
    const { ids } = this;
    this.#ids.clear();
    this.#told = NONE;
    return ids;
  }

  get ready(): boolean {
    return this.#host.mayGive(this);
  }

  /** Who says what it has taken need not wait for others; who does not waits until all has left. */
  get idle(): boolean {
    if (!this.#awaitsTaken) return this.#host.isIdle(this);
    return !this.#isUntaken && this.#host.mayGive(this);
  }

  /** The receiver has taken all that it was given. */
  taken(): void {
    if (!this.#isUntaken) return;
    this.#isUntaken = false;
    this.watch?.resume();
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.#gave(this.#host.sink.state(this.ids, seq, piece, hash));
    if (hash !== undefined) this.#host.cameTo(this, seq);
  }

  delta(delta: TailDelta): void {
    this.#gave(this.#host.sink.delta(this.ids, delta));
    this.#host.cameTo(this, delta.seq);
  }

  composed(delta: ComposedDelta): void {
    this.#gave(this.#host.sink.composed(this.ids, delta));
  }

  progress(mark: ProgressMark): void {
    this.#gave(this.#host.sink.progress(this.ids, mark));
  }

  flush(): void {}

  end(why: Failure): void {
    this.#host.ended(this, why);
  }

  #gave(bytes: number): void {
    this.#isUntaken = this.#awaitsTaken;
    this.#host.gave(bytes);
  }

  #changed(): void {
    this.#told = undefined;
    if (!this.isEmpty) this.watch?.carry(this.receivers);
  }
}
