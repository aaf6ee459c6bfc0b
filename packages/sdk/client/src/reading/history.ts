// The deltas that made a document, oldest first, over as many calls as that takes.

import type { DeltabaseError } from '@deltabase/base';
import type { World } from '../world.js';
import { type Attempts, mendable, type Patience } from './attempts.js';
import { type DeltaEvent, deltaEvent } from './events.js';

export interface HistoryTarget {
  readonly space: string;
  readonly key: string;
  readonly group: number;
  /** The first seq wanted. */
  readonly from: number;
  /** At most so many. */
  readonly limit: number;
}

/** Gives deltas until there are no more. `timeoutMs` is for each wait, not for the whole. */
export async function* historyEvents(
  { attempts, world }: { readonly attempts: Attempts; readonly world: World },
  { space, key, group, from, limit }: HistoryTarget,
  { timeoutMs, signal }: Patience,
): AsyncGenerator<DeltaEvent, void, void> {
  let next = from;
  const end = from + limit;
  let untilMs = world.nowMs() + timeoutMs;
  let last: DeltabaseError | undefined;
  for (let attempt = 0; next < end; attempt++) {
    if (attempt > 0) await attempts.rest(attempt, untilMs - world.nowMs(), signal);
    if (world.nowMs() >= untilMs && last !== undefined) throw last;
    const { link } = await attempts.endpoint(group, attempt, untilMs, signal, last);
    const request = { space, key, fromSeq: next, limit: end === Infinity ? 0 : end - next };
    try {
      for await (const { deltas } of link.stream('ListDeltas', request, { signal })) {
        for (const delta of deltas) {
          yield deltaEvent(delta);
          next = delta.seq + 1;
        }
        attempt = 0;
        untilMs = world.nowMs() + timeoutMs;
      }
      return;
    } catch (thrown) {
      last = mendable(thrown);
    }
  }
}
