// What feeds the sink of one watch, by whatever policy; and what it costs to give something.

import type { Failure } from '../results.js';
import type { StreamedDocument } from './document-source.js';

export interface WatchFeed {
  readonly local: StreamedDocument;

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

/** What giving something costs beside its bytes, in bytes. */
export const GIVE_BYTES = 128;
