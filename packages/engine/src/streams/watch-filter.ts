// The pointers that a watch names, parsed and held against the limits.

import { DeltabaseError, exceedsUtf8, type Limits } from '@deltabase/base';
import { filterOf, type ViewFilter } from '@deltabase/delta';
import { type Failure, failure, failureOf } from '../results.js';

export interface ParsedFilter {
  readonly kind: 'filter';
  /** `undefined`: the whole document. */
  readonly filter: ViewFilter | undefined;
}

type FilterLimits = Pick<Limits, 'watchPointersMax' | 'pointerBytesMax'>;

/** The filter of `pointers`, or why they make none; without any the whole document is watched. */
export function parseFilter(
  pointers: readonly string[],
  { watchPointersMax, pointerBytesMax }: FilterLimits,
): ParsedFilter | Failure {
  if (pointers.length === 0) return { kind: 'filter', filter: undefined };
  if (pointers.length > watchPointersMax) {
    const why = `a watch names ${watchPointersMax} pointers at most, not ${pointers.length}: name what is around them`;
    return failure('INVALID_ARGUMENT', why);
  }
  if (exceedsUtf8(pointers.join(''), pointerBytesMax)) {
    const why = `the pointers of a watch are longer than ${pointerBytesMax} bytes together`;
    return failure('INVALID_ARGUMENT', why);
  }
  try {
    return { kind: 'filter', filter: filterOf(pointers) };
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return failureOf(thrown);
  }
}
