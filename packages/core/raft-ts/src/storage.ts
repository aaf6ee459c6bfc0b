// What the core reads of the host's stable storage. Synchronous: a promise inside the core would end its
// determinism. What is read here was written by the host on the core's demand (Ready.append).

import type { ConfState, Entry, HardState, Snapshot } from './types.js';

export interface Storage {
  /**
   * The hard state that was last made durable, and the configuration as of `Config.applied`. Asked only while
   * the replica is made.
   */
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /**
   * The entries `[from, to)`, as many of the first ones as `bytesMax` allows, at least one.
   * Throws RaftError Compacted if `from` is before `firstIndex`, Unavailable if they cannot be read now.
   */
  entries(from: number, to: number, bytesMax: number): readonly Entry[];
  /**
   * The term of an entry in `[firstIndex - 1, lastIndex]`; the first is known although its entry is gone.
   * Throws RaftError Compacted or Unavailable outside.
   */
  term(index: number): number;
  /** The first index that `entries` can give; 1 in a new log. */
  firstIndex(): number;
  /** The last index there is; 0 in a new log. */
  lastIndex(): number;
  /** The latest snapshot. Throws RaftError SnapshotTemporarilyUnavailable if it takes time. */
  snapshot(): Snapshot;
}
