// A watch that lasts: the document's state, then every delta, without gap or repeat (CommittedOnly), whatever
// happens to nodes and connections. It goes on behind the last seq it gave, on whichever node is there; where
// that part of the history is gone it begins anew with a state.

import { DeltabaseError } from '@deltabase/base';
import { type Json, toJson } from '@deltabase/delta';
import type { WireWatchEvent } from '../transport/wire.js';
import type { World } from '../world.js';
import { type Attempts, mendable, type Patience } from './attempts.js';
import { deltaEvent, type WatchEvent } from './events.js';
import { StateBuilder } from './state.js';

export interface WatchTarget {
  readonly space: string;
  readonly key: string;
  readonly group: number;
  /** Begin behind this seq instead of with the state. */
  readonly afterSeq: number | undefined;
}

/** Watches until it is left. Throws what is final, or UNAVAILABLE after `timeoutMs` without any node. */
export async function* watchEvents<State = Json>(
  { attempts, world }: { readonly attempts: Attempts; readonly world: World },
  target: WatchTarget,
  { timeoutMs, signal }: Patience,
): AsyncGenerator<WatchEvent<State>, void, void> {
  const { space, key, group } = target;
  const place = new Place(target.afterSeq);
  let untilMs = world.nowMs() + timeoutMs;
  let last: DeltabaseError | undefined;
  for (let attempt = 0; ; attempt++) {
    if (attempt > 0) await attempts.rest(attempt, untilMs - world.nowMs(), signal);
    if (world.nowMs() >= untilMs && last !== undefined) throw last;
    const { link } = await attempts.endpoint(group, attempt, untilMs, signal, last);
    try {
      const { afterSeq } = place;
      const request = { space, key, ...(afterSeq === undefined ? {} : { afterSeq }) };
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
  take<State>({ state, delta }: WireWatchEvent): WatchEvent<State> | undefined {
    if (state != null) {
      const whole = this.#builder.add(state);
      if (whole === undefined) return undefined;
      const { seq, hash, root } = whole;
      this.#seq = seq;
      return { kind: 'state', seq, hash, value: toJson(root) as State };
    }
    if (delta == null) return undefined;
    if (this.#seq === undefined || delta.seq > this.#seq + 1) {
      const why = `the node sent delta ${delta.seq} after ${this.#seq ?? 'no state'}`;
      throw new DeltabaseError('UNAVAILABLE', why);
    }
    if (delta.seq <= this.#seq) return undefined;
    this.#seq = delta.seq;
    return deltaEvent(delta);
  }
}
