// The deltas that made a document, oldest first, over as many calls as that takes.

import type { DeltabaseError } from '@deltabase/base';
import type { ClientLimits } from '../limits.js';
import type { World } from '../world.js';
import { AnswerAlarm } from './answer-alarm.js';
import { type Attempts, mendable, type Patience } from './attempts.js';
import { checkLimit, checkWhole } from './checks.js';
import { type DeltaEvent, deltaEvent } from './events.js';

export interface HistoryTarget {
  readonly space: string;
  readonly key: string;
  /** The first seq wanted. */
  readonly from: number;
  /** At most so many. */
  readonly limit: number;
}

export interface HistoryHost {
  readonly attempts: Attempts;
  readonly world: World;
  readonly limits: Pick<ClientLimits, 'attemptTimeoutMs'>;
}

/**
 * Gives deltas until there are no more. `timeoutMs` is for each wait, not for the whole. Throws INVALID_ARGUMENT for
 * numbers that cannot be.
 */
export async function* historyEvents(
  { attempts, world, limits }: HistoryHost,
  { space, key, from, limit }: HistoryTarget,
  { timeoutMs, signal }: Patience,
): AsyncGenerator<DeltaEvent, void, void> {
  checkWhole('from', from, 1);
  checkLimit(limit);
  let next = from;
  const end = from + limit;
  let untilMs = world.nowMs() + timeoutMs;
  let last: DeltabaseError | undefined;
  for (let attempt = 0; next < end; attempt++) {
    if (attempt > 0) await attempts.rest(attempt, untilMs - world.nowMs(), signal);
    if (world.nowMs() >= untilMs && last !== undefined) throw last;
    const { link } = await attempts.endpoint({ space, key }, attempt, untilMs, signal, last);
    const request = { space, key, fromSeq: next, limit: end === Infinity ? 0 : end - next };
    const alarm = new AnswerAlarm(world, signal);
    const setAlarm = (): void =>
      alarm.set(Math.min(untilMs - world.nowMs(), limits.attemptTimeoutMs));
    setAlarm();
    try {
      const pages = link.stream('ListDeltas', request, { signal: alarm.signal });
      for await (const { deltas } of pages) {
        alarm.stop();
        for (const delta of deltas) {
          yield deltaEvent(delta);
          next = delta.seq + 1;
        }
        attempt = 0;
        untilMs = world.nowMs() + timeoutMs;
        setAlarm();
      }
      return;
    } catch (thrown) {
      last = mendable(alarm.explain(thrown));
    } finally {
      alarm.close();
    }
  }
}
