// Many watches on one stream. What they give in a turn leaves together, and no more than its receiver has granted:
// beyond that, and beyond what the process may hold back, each watch waits where the engine keeps what it missed. So
// a stream costs what is on its way, however many documents it follows; and watches that get the same are one (recipients.ts).

import { DeltabaseError, type Limits } from '@deltabase/base';
import type { DocumentName } from '../documents/document-name.js';
import type { TailDelta } from '../documents/tail.js';
import { type Failure, failure } from '../results.js';
import type { ComposedDelta } from './composed-delta.js';
import type { DocumentStreams } from './document-streams.js';
import type { ProgressMark } from './document-views.js';
import type { HeadSeqs } from './heads.js';
import { Meetings } from './meetings.js';
import type { Origin, OriginFeed } from './origin.js';
import { Recipients, type RecipientsHost } from './recipients.js';
import type { WatchRequest } from './watches.js';

/** How a transport carries a stream. It gathers what it is told until it is flushed. */
export interface ManyWatchesSink {
  /** Bytes flushed that have not left. */
  readonly queuedBytes: number;
  /** The same of all streams of the process. */
  readonly totalQueuedBytes: number;

  // Events that each of these watches gets. Each returns the bytes it takes.
  state(ids: readonly number[], seq: number, piece: Uint8Array, hash: string | undefined): number;
  delta(ids: readonly number[], delta: TailDelta): number;
  composed(ids: readonly number[], delta: ComposedDelta): number;
  progress(ids: readonly number[], mark: ProgressMark): number;

  /** Watch `id` has ended by itself. */
  ended(id: number, why: Failure): void;
  /** The answer to a question. */
  heads(number: number, heads: HeadSeqs | Failure): void;
  origin(origin: Origin): void;
  /** What was gathered leaves. */
  flush(): void;
  /** Calls `run` once what is happening now is over. */
  soon(run: () => void): void;
}

export interface ManyWatchesOptions {
  readonly streams: DocumentStreams;
  readonly origin: OriginFeed;
  readonly limits: Pick<
    Limits,
    'watchQueueBytesMax' | 'watchQueuesBytesMax' | 'watchesPerStreamMax' | 'requestTimeoutMsMax'
  >;
  readonly sink: ManyWatchesSink;
  /** The monotonic clock, ms. */
  nowMs(): number;
}

/** Events leave as they are once they have so many bytes. */
const RESPONSE_BYTES = 256 * 1024;
/** Questions of one stream that are not answered: whoever asks gathers meanwhile. */
const QUESTIONS_MAX = 16;

/** What asks it for something that cannot be throws INVALID_ARGUMENT. */
export class ManyWatches implements RecipientsHost {
  readonly #options: ManyWatchesOptions;
  readonly #stopListening: () => void;
  /** By the id of each watch. */
  readonly #recipients = new Map<number, Recipients>();
  readonly #meetings = new Meetings();
  /** Told to wait for room, longest first. */
  readonly #blocked = new Set<Recipients>();
  /** Told to wait until everything has left. */
  readonly #awaitingIdle = new Set<Recipients>();
  /** Events that the receiver has room for, bytes; below 0 after one that was larger. */
  #creditBytes = 0;
  /** Events gathered and not flushed, bytes. */
  #gatheredBytes = 0;
  #questions = 0;
  #isFlushing = false;
  #isEnded = false;

  constructor(options: ManyWatchesOptions) {
    this.#options = options;
    this.#stopListening = options.origin.listen(() => this.#tellOrigin());
    this.#tellOrigin();
  }

  /** What it remembers: watches, and those that others may join. */
  get load(): { readonly watches: number; readonly places: number } {
    return { watches: this.#recipients.size, places: this.#meetings.size };
  }

  // What the receiver asks for.

  /** Begins a watch. `id`: from 1 on. If it `awaitsTaken`, nothing newer is given until what was given is taken. */
  open(id: number, request: WatchRequest, awaitsTaken = false): void {
    this.#checkNew(id);
    const { streams, limits } = this.#options;
    const { watchesPerStreamMax } = limits;
    if (this.#recipients.size >= watchesPerStreamMax) {
      const why = `this stream has ${watchesPerStreamMax} watches: open another one`;
      this.refuse(id, failure('OVERLOADED', why, { watchesPerStreamMax }));
      return;
    }
    const recipients = new Recipients(id, request, { host: this, awaitsTaken });
    this.#recipients.set(id, recipients);
    const watch = streams.watch(request, recipients);
    if (recipients.isEmpty) watch.cancel();
    else recipients.watch = watch;
  }

  /** Whether a watch has begun and not ended. */
  isOpen(id: number): boolean {
    return this.#recipients.has(id);
  }

  /** What has ended by itself meanwhile is unknown here, and not wrong. */
  close(id: number): void {
    const recipients = this.#recipients.get(id);
    if (recipients === undefined) return;
    this.#recipients.delete(id);
    recipients.remove(id);
    if (recipients.isEmpty) this.#stop(recipients);
  }

  /** The receiver has taken all that it was given of a watch. */
  taken(id: number): void {
    this.#recipients.get(id)?.taken();
  }

  /** A watch that cannot begin: it is told so. */
  refuse(id: number, why: Failure): void {
    this.#checkNew(id);
    this.#tell((sink) => sink.ended(id, why));
  }

  /** The receiver has room for so many bytes more. */
  grant(bytes: number): void {
    if (bytes === 0) return;
    this.#creditBytes = Math.min(this.#creditBytes + bytes, Number.MAX_SAFE_INTEGER);
    this.#goOn();
  }

  /** Asks for the heads of what these watches watch. `timeoutMs` 0: as long as is allowed. */
  askHeads(number: number, ids: readonly number[], timeoutMs: number): void {
    if (this.#questions >= QUESTIONS_MAX) {
      throw invalid(`${QUESTIONS_MAX} questions are open on this stream: await their answers`);
    }
    const names: DocumentName[] = [];
    for (const id of ids) {
      const recipients = this.#recipients.get(id);
      if (recipients === undefined) {
        const why = `there is no watch ${id} on this stream`;
        this.#answer(number, failure('INVALID_ARGUMENT', why));
        return;
      }
      names.push(recipients.request);
    }
    this.#questions++;
    const { streams, limits, nowMs } = this.#options;
    const expiresMs = nowMs() + Math.min(timeoutMs || Infinity, limits.requestTimeoutMsMax);
    streams.heads({ names, expiresMs }, (result) => {
      this.#questions--;
      this.#answer(number, result.kind === 'failed' ? result : result.seqs);
    });
  }

  // What the transport tells.

  /** Something of what was flushed has left. */
  drained(): void {
    const { sink, limits } = this.#options;
    if (sink.queuedBytes <= limits.watchQueueBytesMax / 2) this.#goOn();
  }

  /** What was gathered leaves now. */
  flush(): void {
    this.#gatheredBytes = 0;
    this.#options.sink.flush();
  }

  /** Nothing goes out any more: its watches end. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopListening();
    for (const id of [...this.#recipients.keys()]) this.close(id);
  }

  // What its watches give.

  get sink(): ManyWatchesSink {
    return this.#options.sink;
  }

  mayGive(recipients: Recipients): boolean {
    if (this.#hasRoom) return true;
    this.#blocked.add(recipients);
    return false;
  }

  isIdle(recipients: Recipients): boolean {
    if (this.#isEnded) return false;
    if (this.#isAllGone) return true;
    this.#awaitingIdle.add(recipients);
    return false;
  }

  gave(bytes: number): void {
    this.#creditBytes -= bytes;
    this.#gatheredBytes += bytes;
    if (this.#gatheredBytes >= RESPONSE_BYTES) this.flush();
    else this.#flushSoon();
  }

  cameTo(recipients: Recipients, seq: number): void {
    if (recipients.isEmpty || !mayBeOne(recipients.request)) return;
    const there = this.#meetings.come(recipients, seq);
    if (there === undefined) return;
    // The fewer join the more.
    if (there.receivers > recipients.receivers) {
      this.#meetings.come(there, seq);
      this.#join(recipients, there);
    } else {
      this.#join(there, recipients);
    }
  }

  ended(recipients: Recipients, why: Failure): void {
    for (const id of recipients.takeAll()) {
      this.#recipients.delete(id);
      this.#tell((sink) => sink.ended(id, why));
    }
    this.#forget(recipients);
  }

  #checkNew(id: number): void {
    if (id === 0) throw invalid('a watch needs an id: count them from 1');
    if (this.#recipients.has(id)) throw invalid(`there is a watch ${id} on this stream already`);
  }

  /** Whoever `some` were get what `others` get. */
  #join(some: Recipients, others: Recipients): void {
    const ids = some.takeAll();
    this.#stop(some);
    for (const id of ids) this.#recipients.set(id, others);
    others.add(ids);
  }

  get #hasRoom(): boolean {
    if (this.#isEnded || this.#creditBytes <= 0) return false;
    const { sink, limits } = this.#options;
    const gathered = this.#gatheredBytes;
    const bytes = sink.queuedBytes + gathered;
    if (bytes === 0) return true;
    const isAnyFree = sink.totalQueuedBytes + gathered < limits.watchQueuesBytesMax;
    return isAnyFree && bytes < limits.watchQueueBytesMax;
  }

  /** Whether nothing is on its way, and more may be given; what is gathered leaves together. */
  get #isAllGone(): boolean {
    return this.#creditBytes > 0 && this.#options.sink.queuedBytes === 0;
  }

  #answer(number: number, heads: HeadSeqs | Failure): void {
    this.#tell((sink) => sink.heads(number, heads));
  }

  #tellOrigin(): void {
    this.#tell((sink) => sink.origin(this.#options.origin.current));
  }

  #tell(told: (sink: ManyWatchesSink) => void): void {
    if (this.#isEnded) return;
    told(this.#options.sink);
    this.#flushSoon();
  }

  /** Once what is happening now is over: the events of a turn leave together. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#options.sink.soon(() => {
      this.#isFlushing = false;
      this.flush();
    });
  }

  /** Those that wait get what there is room for, in the order in which they began to wait. */
  #goOn(): void {
    if (this.#isAllGone) resumeAll(this.#awaitingIdle);
    if (this.#hasRoom) resumeAll(this.#blocked);
  }

  /** Nobody needs their watch any more. */
  #stop(recipients: Recipients): void {
    this.#forget(recipients);
    recipients.watch?.cancel();
  }

  #forget(recipients: Recipients): void {
    this.#meetings.leave(recipients);
    this.#blocked.delete(recipients);
    this.#awaitingIdle.delete(recipients);
  }
}

/** Whether watches that begin like this get the same events from some seq on. */
function mayBeOne({ policy, pointers = [], forCopy = false }: WatchRequest): boolean {
  return !forCopy && pointers.length === 0 && (policy?.kind ?? 'every') === 'every';
}

/** A watch that cannot give all it has joins again, at the end. */
function resumeAll(waiting: Set<Recipients>): void {
  for (const recipients of waiting) {
    waiting.delete(recipients);
    recipients.watch?.resume();
  }
}

function invalid(why: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', why);
}
