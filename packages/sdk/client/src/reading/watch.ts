// A watch that lasts: the document's state, then every delta or, if the caller wants fewer events, several in one,
// without gap or repeat (CommittedOnly), whatever happens to nodes and connections. It goes on behind the last seq
// it gave, on whichever node is there; where that part of the history is gone it begins anew with a state. When it is told
// of copies it goes on at one of them, behind the same seq.

import { DeltabaseError } from '@deltabase/base';
import { filterOf, type Json } from '@deltabase/delta';
import type { ClientLimits } from '../limits.js';
import { OnlyApart } from '../transport/transport.js';
import type { StreamCalls, WireWatchEvent } from '../transport/wire.js';
import { AnswerAlarm } from './answer-alarm.js';
import { type Attempts, mendable, type Patience } from './attempts.js';
import { checkPolicy, checkWhole } from './checks.js';
import { DocumentPlace } from './document-place.js';
import type { AnyWatchEvent } from './events.js';
import { Move, type MoveHost } from './move.js';
import { ViewPlace } from './view-place.js';
import type { WatchPlace } from './watch-place.js';

/**
 * How much of what happens is told: `every` delta; the `latest` state whenever what came before it was read, in one
 * event however much was missed; or that at most `perSecond` times a second (from 0.01 to 1000).
 */
export type WatchPolicy = 'every' | 'latest' | { readonly perSecond: number };

export interface WatchTarget {
  readonly space: string;
  readonly key: string;
  /** Begin behind this seq instead of with the state. */
  readonly afterSeq: number | undefined;
  readonly policy: WatchPolicy;
  /** A view through these is wanted; none: the whole document. */
  readonly pointers: readonly string[];
}

export interface WatchHost extends MoveHost {
  readonly attempts: Attempts;
  readonly limits: Pick<
    ClientLimits,
    'attemptTimeoutMs' | 'copyRestMs' | 'copyTimeoutMs' | 'openTimeoutMs'
  >;
}

/**
 * Watches until it is left. Throws what is final, INVALID_ARGUMENT for a target that cannot be, or UNAVAILABLE after
 * `timeoutMs` without any node.
 */
export function watchEvents<State = Json>(
  host: WatchHost,
  target: WatchTarget,
  patience: Patience,
): AsyncGenerator<AnyWatchEvent<State>, void, void> {
  const events = watchFrom(host, target, () => placeOf(target), patience);
  return events as AsyncGenerator<AnyWatchEvent<State>, void, void>;
}

/** The same, with a place of the caller's to make events of what nodes send. */
export async function* watchFrom<Event>(
  host: WatchHost,
  target: WatchTarget,
  makePlace: () => WatchPlace<Event>,
  { timeoutMs, signal }: Patience,
): AsyncGenerator<Event, void, void> {
  const { afterSeq, policy } = target;
  if (afterSeq !== undefined) checkWhole('afterSeq', afterSeq, 0);
  checkPolicy(policy);
  const { attempts, copies, world, limits } = host;
  const place = makePlace();
  let untilMs = world.nowMs() + timeoutMs;
  let last: DeltabaseError | undefined;
  /** A copy that was found to be there. */
  let found: string | undefined;
  let apart = false;
  for (let attempt = 0; ; attempt++) {
    if (attempt > 0) await attempts.rest(attempt, untilMs - world.nowMs(), signal);
    if (world.nowMs() >= untilMs && last !== undefined) throw last;
    const copy = found === undefined ? copies.choose(target) : copies.use(found);
    const move = new Move(host, target, copy?.address);
    found = undefined;
    let goesApart = false;
    let begunMs = Number.POSITIVE_INFINITY;
    const alarm = new AnswerAlarm(world, signal);
    const answerMs = copy === undefined ? limits.attemptTimeoutMs : limits.copyTimeoutMs;
    try {
      const { link } = copy ?? (await attempts.endpoint(target, attempt, untilMs, signal, last));
      const request = requestOf(target, place.begin());
      begunMs = world.nowMs();
      // Behind a seq nothing may happen for long; a state is there, and given piece after piece.
      if (request.afterSeq === undefined) alarm.set(Math.min(untilMs - begunMs, answerMs));
      const responses = link.stream('Watch', request, { signal: alarm.signal, apart });
      for await (const { events, copies: known } of responses) {
        if (events.length > 0) alarm.stop();
        for (const event of events) {
          const next = place.take(event);
          if (next !== undefined) yield next;
        }
        move.told(known);
        // What only names copies may come with a refusal.
        if (events.length > 0) {
          untilMs = Infinity;
          copy?.worked();
        }
        if (isInState(events)) {
          alarm.set(answerMs);
          continue;
        }
        if (events.length > 0) attempt = 0;
        found = move.next;
        if (found !== undefined) break;
      }
      if (found === undefined) {
        last = new DeltabaseError('UNAVAILABLE', 'the node ended the watch');
        copy?.failed();
      }
    } catch (thrown) {
      goesApart = thrown instanceof OnlyApart && !apart;
      if (!goesApart) {
        if (copy === undefined && isHistoryGone(thrown)) place.forget();
        else {
          const ended = alarm.explain(thrown);
          last = copy === undefined ? mendable(ended) : failedAtCopy(ended);
        }
        copy?.failed();
        if (alarm.hasRung || neverBegan(thrown)) begunMs = Number.POSITIVE_INFINITY;
      }
    } finally {
      alarm.close();
      copy?.left();
    }
    apart ||= goesApart;
    // A stream that stood for a while had somebody at its other end, though nothing happened.
    if (world.nowMs() - begunMs >= limits.openTimeoutMs) {
      untilMs = Infinity;
      attempt = 0;
    }
    // The leader's way, other copies, and the way apart are tried at once.
    if (copy !== undefined || found !== undefined || goesApart) attempt = -1;
    if (untilMs === Infinity) untilMs = world.nowMs() + timeoutMs;
  }
}

/** Whether more of a state is to come. */
function isInState(events: readonly WireWatchEvent[]): boolean {
  return events.at(-1)?.state?.last === false;
}

/** What a copy fails with says nothing of the cluster, but for who gave up. */
function failedAtCopy(thrown: unknown): DeltabaseError {
  if (thrown instanceof DeltabaseError && thrown.code !== 'CANCELLED') return thrown;
  throw thrown;
}

function placeOf({ pointers, afterSeq }: WatchTarget): WatchPlace<AnyWatchEvent> {
  return pointers.length === 0
    ? new DocumentPlace(afterSeq)
    : new ViewPlace(filterOf(pointers), afterSeq);
}

function requestOf(
  { space, key, policy, pointers }: WatchTarget,
  afterSeq: number | undefined,
): StreamCalls['Watch']['request'] {
  const behind = afterSeq === undefined ? {} : { afterSeq };
  const seen = pointers.length === 0 ? {} : { pointers };
  const what = { space, key, ...behind, ...seen };
  if (policy === 'every') return what;
  if (policy === 'latest') return { policy: 'WATCH_POLICY_LATEST', ...what };
  const { perSecond } = policy;
  return { policy: 'WATCH_POLICY_PER_SECOND', perSecond, ...what };
}

/** Whether a node says that it waited in vain for a quorum to confirm the state. */
function neverBegan(thrown: unknown): boolean {
  return thrown instanceof DeltabaseError && thrown.details['unconfirmed'] === true;
}

function isHistoryGone(thrown: unknown): boolean {
  return thrown instanceof DeltabaseError && thrown.code === 'HISTORY_GONE';
}
