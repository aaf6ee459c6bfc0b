// The serving end of one connection, which does what the server's WatchMany does: many watches, of which none gives more
// than the receiver has granted and the process may hold back; events of a moment leave together, those of watches
// first; questions about heads by the ids of watches.

import { encodeUtf8 } from '@deltabase/base';
import {
  type ComposedDelta,
  type DocumentName,
  type Failure,
  failure,
  type TailDelta,
  type UpstreamListener,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from '@deltabase/engine';
import { copyDelta } from './copy-delta.js';
import type { ServedProcess } from './served-process.js';

/** What becomes of a delta that does not come as it should. */
export type Damage = 'lost' | 'doubled' | 'changed';

/** Part of a response; told to the listener at the other end. */
export type Told = (listener: UpstreamListener) => void;

export interface WatchManyHost {
  readonly process: ServedProcess;
  /** Bytes written that have not left. */
  readonly queuedBytes: number;
  /** Nothing can be had there but the present states. */
  readonly isHistoryGone: boolean;
  /** Writes a response. */
  write(told: readonly Told[], bytes: number): void;
  /** Calls `run` once what is happening now is over. */
  soon(run: () => void): void;
  /** Ends the stream, which was used wrongly. */
  endWith(why: Failure): void;
}

/** What an event takes beside what it carries, bytes. */
const EVENT_BYTES = 24;
/** Events leave as they are once they have so many bytes. */
const RESPONSE_BYTES = 256 * 1024;
/** Questions of one stream that are not answered. */
const QUESTIONS_MAX = 16;

export class WatchMany {
  readonly #host: WatchManyHost;
  readonly #watches = new Map<number, OneOfMany>();
  readonly #blocked = new Set<OneOfMany>();
  readonly #awaitingIdle = new Set<OneOfMany>();
  readonly #stopListening: () => void;
  #events = new Map<number, Told[]>();
  #rest: Told[] = [];
  #creditBytes = 0;
  #gatheredBytes = 0;
  #questions = 0;
  #isFlushing = false;
  #ended = false;
  #damage: { readonly damage: Damage; readonly done: () => void } | undefined;

  constructor(host: WatchManyHost) {
    this.#host = host;
    this.#stopListening = host.process.origin.listen(() => this.#tellOrigin());
    this.#tellOrigin();
  }

  // What the other end asks for.

  watch(id: number, { space, key }: DocumentName, afterSeq: number | undefined): void {
    if (this.#ended) return;
    const { streams, limits } = this.#host.process;
    if (this.#watches.has(id) || this.#watches.size >= limits.watchesPerStreamMax) {
      this.#misused(`there can be no watch ${id}`);
      return;
    }
    if (afterSeq !== undefined && this.#host.isHistoryGone) {
      this.ended(id, failure('HISTORY_GONE', `nothing is kept of what was behind ${afterSeq}`));
      return;
    }
    const request: WatchRequest = { space, key, afterSeq, forCopy: true };
    const one = new OneOfMany(id, request, this);
    this.#watches.set(id, one);
    one.watch = streams.watch(request, one);
  }

  unwatch(id: number): void {
    const one = this.#watches.get(id);
    this.#forget(id);
    one?.watch?.cancel();
  }

  grant(bytes: number): void {
    this.#creditBytes += bytes;
    this.#goOn();
  }

  askHeads(number: number, ids: readonly number[], timeoutMs: number): void {
    if (this.#ended) return;
    if (++this.#questions > QUESTIONS_MAX) {
      this.#misused('too many questions');
      return;
    }
    const names: DocumentName[] = [];
    for (const id of ids) {
      const one = this.#watches.get(id);
      if (one === undefined) {
        const why = failure('INVALID_ARGUMENT', `there is no watch ${id} on this stream`);
        this.#answer(number, why);
        return;
      }
      names.push(one.request);
    }
    const { process } = this.#host;
    const expiresMs = process.nowMs() + Math.min(timeoutMs, process.limits.requestTimeoutMsMax);
    process.streams.heads({ names, expiresMs }, (result) => {
      this.#answer(number, result.kind === 'failed' ? result : result.seqs);
    });
  }

  /** The next delta does not come as it should; `done` is called when it is given. */
  damageNext(damage: Damage, done: () => void): void {
    this.#damage = { damage, done };
  }

  giveDelta(id: number, delta: TailDelta): void {
    const copy = copyDelta(delta);
    const { damage, done } = this.#damage ?? {};
    this.#damage = undefined;
    done?.();
    if (damage === 'lost') return;
    if (damage === 'changed') copy.record = { ...copy.record!, patch: encodeUtf8('[]') };
    for (let left = damage === 'doubled' ? 2 : 1; left > 0; left--) {
      this.gather(id, copy.bytes.length, (listener) => listener.delta(id, copy));
    }
  }

  /** Something of what was written has left. */
  drained(): void {
    const { process, queuedBytes } = this.#host;
    if (queuedBytes <= process.limits.watchQueueBytesMax / 2) this.#goOn();
  }

  /** The other end is gone: its watches end. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopListening();
    for (const id of [...this.#watches.keys()]) this.unwatch(id);
  }

  // What its watches give.

  mayGive(one: OneOfMany): boolean {
    if (this.#hasRoom) return true;
    this.#blocked.add(one);
    return false;
  }

  isIdle(one: OneOfMany): boolean {
    if (this.#ended) return false;
    if (this.#creditBytes > 0 && this.#host.queuedBytes + this.#gatheredBytes === 0) return true;
    this.#awaitingIdle.add(one);
    return false;
  }

  gather(id: number, bytes: number, told: Told): void {
    if (this.#ended) return;
    const events = this.#events.get(id);
    if (events === undefined) this.#events.set(id, [told]);
    else events.push(told);
    this.#creditBytes -= bytes + EVENT_BYTES;
    this.#gatheredBytes += bytes + EVENT_BYTES;
    if (this.#gatheredBytes >= RESPONSE_BYTES) this.flush();
    else this.#flushSoon();
  }

  ended(id: number, why: Failure): void {
    this.#forget(id);
    this.#tell((listener) => listener.ended(id, why));
  }

  get #hasRoom(): boolean {
    const { process, queuedBytes } = this.#host;
    if (this.#ended || this.#creditBytes <= 0) return false;
    const bytes = queuedBytes + this.#gatheredBytes;
    return bytes === 0 || bytes < process.limits.watchQueueBytesMax;
  }

  #answer(number: number, heads: readonly number[] | Failure): void {
    this.#questions--;
    this.#tell((listener) => listener.heads(number, heads));
  }

  #tellOrigin(): void {
    const { via, live } = this.#host.process.origin.current;
    this.#tell((listener) => listener.origin(via, live));
  }

  #tell(told: Told): void {
    if (this.#ended) return;
    this.#rest.push(told);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#host.soon(() => {
      this.#isFlushing = false;
      this.flush();
    });
  }

  /** What was gathered leaves. */
  flush(): void {
    const told = [...this.#events.values()].flat().concat(this.#rest);
    const bytes = this.#gatheredBytes + EVENT_BYTES * this.#rest.length;
    this.#events = new Map();
    this.#rest = [];
    this.#gatheredBytes = 0;
    if (told.length > 0) this.#host.write(told, bytes);
  }

  /** Those that wait get what there is room for, in the order in which they began to wait. */
  #goOn(): void {
    if (this.#host.queuedBytes + this.#gatheredBytes === 0 && this.#creditBytes > 0) {
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

  #misused(what: string): void {
    this.flush();
    this.#host.endWith(failure('INVALID_ARGUMENT', what));
  }
}

/** One watch of them. */
class OneOfMany implements WatchSink {
  readonly id: number;
  readonly request: WatchRequest;
  watch: Watch | undefined;
  readonly #stream: WatchMany;

  constructor(id: number, request: WatchRequest, stream: WatchMany) {
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
    const bytes = piece.slice();
    this.#stream.gather(this.id, bytes.length, (listener) =>
      listener.state(this.id, seq, bytes, hash),
    );
  }

  delta(delta: TailDelta): void {
    this.#stream.giveDelta(this.id, delta);
  }

  composed(_delta: ComposedDelta): void {
    throw new Error('whoever keeps a copy gets every delta by itself');
  }

  progress(): void {
    throw new Error('whoever keeps a copy watches the whole document');
  }

  flush(): void {}

  end(why: Failure): void {
    this.#stream.ended(this.id, why);
  }
}
