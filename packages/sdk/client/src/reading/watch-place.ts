// How far a watch has come, whatever it watches.

import { DeltabaseError } from '@deltabase/base';
import type { WireWatchEvent } from '../transport/wire.js';

/** Its events are of kind `Event`. */
export interface WatchPlace<Event> {
  /** Where a stream that begins now goes on; `undefined`: with a state. */
  begin(): number | undefined;
  /** The next stream begins with a state. */
  forget(): void;
  /**
   * What is to be given on of what a node sent, if anything. Throws UNAVAILABLE where it does not lead on from here,
   * DATA_CORRUPT where it is not what it says, INTERNAL where it is not what was asked for.
   */
  take(event: WireWatchEvent): Event | undefined;
}

/** The error of a place that is at `here`, for what leads on from somewhere else. */
export function doesNotFollow(
  { fromSeq, seq }: { readonly fromSeq: number; readonly seq: number },
  here: number | string,
): DeltabaseError {
  const why = `the node sent what leads from ${fromSeq} to ${seq} after ${here}`;
  return new DeltabaseError('UNAVAILABLE', why);
}
