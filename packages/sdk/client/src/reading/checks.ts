// What callers may ask for when they read: the types say it to compilers only. What the wire cannot carry would become
// another wish on the way (1.5 becomes 1, -1 becomes 0), so it is refused here.

import { DeltabaseError } from '@deltabase/base';
import type { ReadMode } from './get.js';
import type { WatchPolicy } from './watch.js';

/** Throws INVALID_ARGUMENT unless `value` is a whole number of at least `min`. */
export function checkWhole(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw invalid(`${name} is ${String(value)}: use a whole number of at least ${min}`);
}

/** Throws INVALID_ARGUMENT unless `limit` is how many of something may come: a whole number, or Infinity. */
export function checkLimit(limit: number): void {
  if (limit !== Infinity) checkWhole('limit', limit, 0);
}

/** Throws INVALID_ARGUMENT for what is no mode. */
export function checkMode(mode: ReadMode): void {
  if (mode === 'linearizable' || mode === 'stale') return;
  const isObject = typeof mode === 'object' && mode !== null;
  if (isObject && 'withinMs' in mode) checkWhole('withinMs', mode.withinMs, 0);
  else if (isObject && 'atLeastSeq' in mode) checkWhole('atLeastSeq', mode.atLeastSeq, 0);
  else {
    throw invalid(
      "the mode is none that there is: use 'linearizable', 'stale', {withinMs: 100} or {atLeastSeq: 7}",
    );
  }
}

/** Throws INVALID_ARGUMENT for what is no policy; how many events a second may be wanted, nodes say. */
export function checkPolicy(policy: WatchPolicy): void {
  if (policy === 'every' || policy === 'latest') return;
  if (typeof policy === 'object' && typeof policy?.perSecond === 'number') return;
  throw invalid("the policy is none that there is: use 'every', 'latest' or {perSecond: 10}");
}

function invalid(message: string): DeltabaseError {
  return new DeltabaseError('INVALID_ARGUMENT', message);
}
