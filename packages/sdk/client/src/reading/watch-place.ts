// How far a watch has come, whatever it watches.

import type { WireWatchEvent } from '../transport/wire.js';
import type { AnyWatchEvent } from './events.js';

export interface WatchPlace {
  /** Where a stream that begins now goes on; `undefined`: with a state. */
  begin(): number | undefined;
  /** The next stream begins with a state. */
  forget(): void;
  /**
   * What is to be given on of what a node sent, if anything. Throws UNAVAILABLE where it does not lead on from here,
   * DATA_CORRUPT where it is not what it says, INTERNAL where it is not what was asked for.
   */
  take(event: WireWatchEvent): AnyWatchEvent | undefined;
}
