// What a replica wants of its host, gathered since it was last asked. The host does the work and says when:
//
//   1. `messages` leave: at once with asynchronous storage writes, else after 2.
//   2. `append` is written, in the order of the Readys: entries replace whatever stands at their indices and
//      after them; a snapshot replaces the whole log. Once it is on stable storage: acknowledgeAppend, which
//      gives the messages that had to wait for it. A crash may undo the latest writes that were not synced,
//      but never one before a write that it leaves.
//   3. `apply` is applied to the state machine, in order, configuration changes by applyConfChange; then
//      acknowledgeApply. A snapshot replaces the state machine only after everything handed out before it is
//      applied; until it is durable nothing further is handed out.
//
// With asynchronous writes several Readys may be under way at once. `advance` acknowledges for those without.

import type { DurableMessage, Message } from './message.js';
import type { Entry, EntryId, HardState, ReadState, Snapshot, SoftState } from './types.js';

export interface Ready {
  /** Set if it has changed. */
  readonly softState: SoftState | undefined;
  /** Reads whose index is known: each may be served once that is applied. */
  readonly readStates: readonly ReadState[];
  readonly messages: readonly Message[];
  readonly append: AppendWork | undefined;
  readonly apply: ApplyWork | undefined;
}

/** What must be written, all of it or nothing. */
export interface AppendWork {
  /** Set if it has changed. Never written before what came in earlier work. */
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  /** If set, the state machine's state becomes that of the snapshot, before `entries`. */
  readonly snapshot: Snapshot | undefined;
  /** Whether it must be synced: false if only the commit index changed (contract 14). */
  readonly mustSync: boolean;
  /** For acknowledgeAppend: what to tell once it is durable; some of it to this replica itself. */
  readonly messages: readonly DurableMessage[];
  /** For acknowledgeAppend: the end of the log when this was handed out, if any of it was not durable. */
  readonly last: EntryId | undefined;
  /** For acknowledgeAppend: the term in which this was handed out. */
  readonly term: number;
}

/** Committed entries for the state machine. */
export interface ApplyWork {
  readonly entries: readonly Entry[];
}
