// A watch that lasts: the document's state, then every delta or, if the caller wants fewer events, several in one,
// without gap or repeat (CommittedOnly), whatever happens to nodes and connections. It goes on behind the last seq
// it gave, on whichever node is there; where that part of the history is gone it begins anew with a state.

import { DeltabaseError } from '@deltabase/base';
import { type Json, toJson } from '@deltabase/delta';
import type { StreamCalls, WireWatchEvent } from '../transport/wire.js';
import type { World } from '../world.js';
import { type Attempts, mendable, type Patience } from './attempts.js';
import { type AnyWatchEvent, composedEvent, deltaEvent } from './events.js';
import { StateBuilder } from './state.js';

/**
 * How much of what happens is told: `every` delta; the `latest` state once all before it has left the node, in one
 * event however much was missed; or that at most `perSecond` times a second (from 0.01 to 1000).
 */
export type WatchPolicy = 'every' | 'latest' | { readonly perSecond: number };

export interface WatchTarget {
  readonly space: string;
  readonly key: string;
  readonly group: number;
  /** Begin behind this seq instead of with the state. */
  readonly afterSeq: number | undefined;
  readonly policy: WatchPolicy;
}

/** Watches until it is left. Throws what is final, or UNAVAILABLE after `timeoutMs` without any node. */
export async function* watchEvents<State = Json>(
  { attempts, world }: { readonly attempts: Attempts; readonly world: World },
  target: WatchTarget,
  { timeoutMs, signal }: Patience,
): AsyncGenerator<AnyWatchEvent<State>, void, void> {
  const { group } = target;
  const place = new Place(target.afterSeq);
  let untilMs = world.nowMs() + timeoutMs;
  let last: DeltabaseError | undefined;
  for (let attempt = 0; ; attempt++) {
    if (attempt > 0) await attempts.rest(attempt, untilMs - world.nowMs(), signal);
    if (world.nowMs() >= untilMs && last !== undefined) throw last;
    const { link } = await attempts.endpoint(group, attempt, untilMs, signal, last);
    try {
      const request = requestOf(target, place.afterSeq);
      for await (const { events } of link.stream('Watch', request, { signal })) {
        for (const event of events) {
          const next = place.take<State>(event);
          if (next !== undefined) yield next;
        }
        untilMs = Infinity;
        attempt = 0;
      }
      last = new DeltabaseError('UNAVAILABLE', 'the node ended the watch');
    } catch (thrown) {
      if (isHistoryGone(thrown)) place.forget();
      else last = mendable(thrown);
    }
    if (untilMs === Infinity) untilMs = world.nowMs() + timeoutMs;
  }
}

function requestOf(
  { space, key, policy }: WatchTarget,
  afterSeq: number | undefined,
): StreamCalls['Watch']['request'] {
  const behind = afterSeq === undefined ? {} : { afterSeq };
  if (policy === 'every') return { space, key, ...behind };
  if (policy === 'latest') return { space, key, policy: 'WATCH_POLICY_LATEST', ...behind };
  const { perSecond } = policy;
  return { space, key, policy: 'WATCH_POLICY_PER_SECOND', perSecond, ...behind };
}

function isHistoryGone(thrown: unknown): boolean {
  return thrown instanceof DeltabaseError && thrown.code === 'HISTORY_GONE';
}

/** How far a watch has come. */
class Place {
  #seq: number | undefined;
  #builder = new StateBuilder();

  constructor(afterSeq: number | undefined) {
    this.#seq = afterSeq;
  }

  /** Where to go on; `undefined`: with a state. */
  get afterSeq(): number | undefined {
    // A state that was cut off is begun anew.
    this.#builder = new StateBuilder();
    return this.#seq;
  }

  /** Begins with a state the next time. */
  forget(): void {
    this.#seq = undefined;
  }

  /** What is to be given on of what a node sent, if anything. Throws UNAVAILABLE at a gap. */
  take<State>({ state, delta, composed }: WireWatchEvent): AnyWatchEvent<State> | undefined {
    if (state != null) {
      const whole = this.#builder.add(state);
      if (whole === undefined) return undefined;
      const { seq, hash, root } = whole;
      this.#seq = seq;
      return { kind: 'state', seq, hash, value: toJson(root) as State };
    }
    if (composed != null) {
      return this.#leads(composed.fromSeq, composed.seq) ? composedEvent(composed) : undefined;
    }
    if (delta == null) return undefined;
    return this.#leads(delta.seq - 1, delta.seq) ? deltaEvent(delta) : undefined;
  }

  /** Goes on from `fromSeq` to `seq`; `false` if it was there before. Throws UNAVAILABLE if it is not there. */
  #leads(fromSeq: number, seq: number): boolean {
    if (this.#seq !== undefined && seq <= this.#seq) return false;
    if (this.#seq !== fromSeq) {
      const why = `the node sent what leads from ${fromSeq} to ${seq} after ${this.#seq ?? 'no state'}`;
      throw new DeltabaseError('UNAVAILABLE', why);
    }
    this.#seq = seq;
    return true;
  }
}
