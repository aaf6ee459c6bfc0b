// How much of what happens to a document a watch is told. Whatever it is, what is told leads from state to
// state without a gap or a repeat (CommittedOnly), and each step ends in a state whose hash it names.

import { type Failure, failure } from '../results.js';

export type WatchPolicy =
  /** Every delta. */
  | { readonly kind: 'every' }
  /** The newest state as soon as the receiver has taken all before; in one step, however much was missed. */
  | { readonly kind: 'latest' }
  /** The same, at most so often. */
  | { readonly kind: 'perSecond'; readonly perSecond: number };

/** Steps in a second: at least one in a hundred seconds, at most as many as there are milliseconds. */
const PER_SECOND_MIN = 0.01;
const PER_SECOND_MAX = 1000;

/** Why a watch cannot have this policy. */
export function policyProblem(policy: WatchPolicy): Failure | undefined {
  if (policy.kind !== 'perSecond') return undefined;
  const { perSecond } = policy;
  if (perSecond >= PER_SECOND_MIN && perSecond <= PER_SECOND_MAX) return undefined;
  const why = `a watch gets from ${PER_SECOND_MIN} to ${PER_SECOND_MAX} events a second, not ${perSecond}`;
  return failure('INVALID_ARGUMENT', why);
}
