// The serving end of one connection, as the server's WatchMany is: what its watches give goes to the listener at the other
// end in responses, the events of each watch first. It may be damaged on its way.

import { DeltabaseError, encodeUtf8 } from '@deltabase/base';
import {
  type DocumentName,
  type Failure,
  failure,
  type HeadSeqs,
  ManyWatches,
  type ManyWatchesSink,
  type Origin,
  type TailDelta,
  type UpstreamListener,
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

export class WatchMany {
  readonly #host: WatchManyHost;
  readonly #sink: GatheringSink;
  readonly #watches: ManyWatches;
  #isEnded = false;

  constructor(host: WatchManyHost) {
    const { streams, limits, origin } = host.process;
    this.#host = host;
    this.#sink = new GatheringSink(host);
    this.#watches = new ManyWatches({
      ...{ streams, limits, origin, sink: this.#sink },
      nowMs: () => host.process.nowMs(),
    });
  }

  watch(id: number, { space, key }: DocumentName, afterSeq: number | undefined): void {
    if (this.#isEnded) return;
    if (afterSeq !== undefined && this.#host.isHistoryGone) {
      const why = failure('HISTORY_GONE', `nothing is kept of what was behind ${afterSeq}`);
      this.#asked(() => this.#watches.refuse(id, why));
      return;
    }
    this.#asked(() => this.#watches.open(id, { space, key, afterSeq, forCopy: true }));
  }

  unwatch(id: number): void {
    this.#watches.close(id);
  }

  grant(bytes: number): void {
    if (!this.#isEnded) this.#watches.grant(bytes);
  }

  askHeads(number: number, ids: readonly number[], timeoutMs: number): void {
    if (!this.#isEnded) this.#asked(() => this.#watches.askHeads(number, ids, timeoutMs));
  }

  /** The next delta does not come as it should; `done` is called when it is given. */
  damageNext(damage: Damage, done: () => void): void {
    this.#sink.damageNext = { damage, done };
  }

  /** What was gathered leaves. */
  flush(): void {
    this.#watches.flush();
  }

  /** Something of what was written has left. */
  drained(): void {
    this.#watches.drained();
  }

  /** The other end is gone: its watches end. */
  close(): void {
    this.#isEnded = true;
    this.#watches.end();
  }

  /** Asking for what cannot be ends the stream. */
  #asked(what: () => void): void {
    try {
      what();
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      this.#watches.flush();
      this.#host.endWith(failure(thrown.code, thrown.message));
    }
  }
}

class GatheringSink implements ManyWatchesSink {
  readonly #host: WatchManyHost;
  #events = new Map<number, Told[]>();
  #rest: Told[] = [];
  #bytes = 0;
  damageNext: { readonly damage: Damage; readonly done: () => void } | undefined;

  constructor(host: WatchManyHost) {
    this.#host = host;
  }

  get queuedBytes(): number {
    return this.#host.queuedBytes;
  }

  /** Each stream has what is set aside for all to itself. */
  get totalQueuedBytes(): number {
    return this.#host.queuedBytes;
  }

  state(ids: readonly number[], seq: number, piece: Uint8Array, hash: string | undefined): number {
    const bytes = piece.slice();
    return this.#event(ids, bytes.length, (listener, id) => listener.state(id, seq, bytes, hash));
  }

  delta(ids: readonly number[], delta: TailDelta): number {
    const copy = copyDelta(delta);
    const { damage, done } = this.damageNext ?? {};
    this.damageNext = undefined;
    done?.();
    if (damage === 'changed') copy.record = { ...copy.record!, patch: encodeUtf8('[]') };
    let bytes = 0;
    for (let left = timesGiven(damage); left > 0; left--) {
      bytes += this.#event(ids, copy.bytes.length, (listener, id) => listener.delta(id, copy));
    }
    return bytes;
  }

  composed(): never {
    throw new Error('whoever keeps a copy gets every delta by itself');
  }

  progress(): never {
    throw new Error('whoever keeps a copy watches the whole document');
  }

  ended(id: number, why: Failure): void {
    this.#tell((listener) => listener.ended(id, why));
  }

  heads(number: number, heads: HeadSeqs | Failure): void {
    this.#tell((listener) => listener.heads(number, heads));
  }

  origin({ via, live }: Origin): void {
    this.#tell((listener) => listener.origin(via, live));
  }

  flush(): void {
    const told = [...this.#events.values()].flat().concat(this.#rest);
    const bytes = this.#bytes;
    this.#events = new Map();
    this.#rest = [];
    this.#bytes = 0;
    if (told.length > 0) this.#host.write(told, bytes);
  }

  soon(run: () => void): void {
    this.#host.soon(run);
  }

  #event(
    ids: readonly number[],
    carriedBytes: number,
    tell: (listener: UpstreamListener, id: number) => void,
  ): number {
    for (const id of ids) {
      const told: Told = (listener) => tell(listener, id);
      const events = this.#events.get(id);
      if (events === undefined) this.#events.set(id, [told]);
      else events.push(told);
    }
    const bytes = carriedBytes + EVENT_BYTES;
    this.#bytes += bytes;
    return bytes;
  }

  #tell(told: Told): void {
    this.#rest.push(told);
    this.#bytes += EVENT_BYTES;
  }
}

function timesGiven(damage: Damage | undefined): number {
  if (damage === 'lost') return 0;
  return damage === 'doubled' ? 2 : 1;
}
