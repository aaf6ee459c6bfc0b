// What feeds the sink of one watch, by whatever policy; and what it costs to give something.

import type { Failure } from '../results.js';
import type { StreamedDocument } from './document-source.js';

export interface WatchFeed {
  readonly local: StreamedDocument;
  /** What its sink was given, until somebody takes count of it. */
  readonly given: Given;

  /** The document was replaced by one that holds the same history and perhaps more. */
  moveTo(local: StreamedDocument): void;

  /**
   * Gives the sink what it takes of what there is, about `bytesMax` of it. Returns how much that was; if there
   * may be more it is hungry again.
   */
  pump(bytesMax: number): number;

  /** Ends it; the sink is not used any more but to be told `why`. */
  end(why: Failure | undefined): void;
}

/** What receivers were given. */
export class Given {
  /** Deltas, several in one as one, and states. */
  events = 0;
  /** As stored, about. */
  bytes = 0;

  /** One event, which so many get. */
  add(bytes: number, receivers = 1): void {
    this.events += receivers;
    this.bytes += bytes * receivers;
  }
}

/** What feeds the sink of a watch of a view. */
export interface ViewFeed extends WatchFeed {
  /** It is to say how far nothing has changed, if nothing else does. */
  tellProgress(): void;
}

/** What giving something costs beside its bytes, in bytes; and what each further receiver of the same costs. */
export const GIVE_BYTES = 128;
export const RECEIVER_BYTES = 8;

/** What finding a difference costs, as if it were bytes given: always, and as a part of what was rewritten. */
export const COMPARE_BYTES = 4096;
export const COMPARE_PART = 1 / 16;
