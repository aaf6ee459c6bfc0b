// The replicated log as Raft sees it: stable entries in the host's Storage, the unstable tail in memory,
// and how far it is committed, being applied and applied (Raft §5.3; OrderOfLog: applied <= applying <= committed
// <= last).

import { assert } from './assert.js';
import { isRaftError } from './errors.js';
import type { Storage } from './storage.js';
import { type Entry, type EntryId, entriesBytes, limitEntries, type Snapshot } from './types.js';
import { Unstable } from './unstable.js';

/** How many bytes of entries are looked at together when the log is searched. */
const SCAN_BYTES = 1024 * 1024;

export class RaftLog {
  readonly unstable: Unstable;
  readonly #storage: Storage;
  readonly #applyingBytesMax: number;
  #committed: number;
  #applying: number;
  #applied: number;
  #applyingBytes = 0;
  /** The next committed entries cannot be read now. */
  #applyBlocked = false;

  /** `applied` says from where the host wants committed entries; 0: from the first one there is. */
  constructor(storage: Storage, applied: number, applyingBytesMax: number) {
    this.#storage = storage;
    this.#applyingBytesMax = applyingBytesMax;
    this.#committed = Math.max(storage.firstIndex() - 1, applied);
    this.#applying = this.#committed;
    this.#applied = this.#committed;
    this.unstable = new Unstable(storage.lastIndex() + 1);
  }

  get committed(): number {
    return this.#committed;
  }

  get applied(): number {
    return this.#applied;
  }

  get firstIndex(): number {
    return this.unstable.firstIndex ?? this.#storage.firstIndex();
  }

  get lastIndex(): number {
    return this.unstable.lastIndex ?? this.#storage.lastIndex();
  }

  /** The name of the last entry. */
  lastId(): EntryId {
    const index = this.lastIndex;
    const term = this.term(index);
    assert(term !== undefined, 'the last term is always known');
    return { term, index };
  }

  /** The name of the last entry that is known to be committed. */
  committedId(): EntryId {
    const term = this.term(this.#committed);
    assert(term !== undefined, 'what is compacted is committed');
    return { term, index: this.#committed };
  }

  /**
   * The term of an index, 0 for one beyond the end; `undefined` if it is compacted. Terms of entries that are
   * there can always be read: one taken for unknown would be taken for a conflict, and the entry thrown away.
   */
  term(index: number): number | undefined {
    const known = this.unstable.term(index);
    if (known !== undefined) return known;
    if (index > this.lastIndex) return 0;
    if (index < this.firstIndex - 1) return undefined;
    return this.#storage.term(index);
  }

  matchTerm(id: EntryId): boolean {
    return id.index <= this.lastIndex && this.term(id.index) === id.term;
  }

  /** Whether a log that ends in `last` is at least as up to date as this one (Raft §5.4.1). */
  isUpToDate(last: EntryId): boolean {
    const ours = this.lastId();
    return last.term > ours.term || (last.term === ours.term && last.index >= ours.index);
  }

  /**
   * The entries `[from, to)` up to `bytesMax`, at least one; `undefined` if the first of them is compacted
   * or cannot be read now.
   */
  slice(from: number, to: number, bytesMax: number): readonly Entry[] | undefined {
    assert(from <= to && to <= this.lastIndex + 1, 'a slice lies in the log');
    if (from === to) return [];
    if (from < this.firstIndex) return undefined;
    const offset = this.unstable.offset;
    if (from >= offset) return limitEntries(this.unstable.slice(from, to), bytesMax);
    const stableEnd = Math.min(to, offset);
    const stable = this.#read(from, stableEnd, bytesMax);
    if (stable === undefined || stable.length < stableEnd - from || to <= offset) return stable;
    return limitEntries([...stable, ...this.unstable.slice(offset, to)], bytesMax);
  }

  /** Appends a leader's own entries. */
  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    assert(entries[0]!.index > this.#committed, 'no committed entry is replaced (CommittedStays)');
    this.unstable.truncateAndAppend(entries);
  }

  /**
   * Takes entries from a leader that follow `previous`: only what conflicts is replaced (LogMatching).
   * Returns the last index that now matches the leader's log; `undefined` if `previous` does not match.
   */
  maybeAppend(
    previous: EntryId,
    entries: readonly Entry[],
    leaderCommit: number,
  ): number | undefined {
    if (!this.matchTerm(previous)) return undefined;
    const last = previous.index + entries.length;
    let known = 0;
    for (let at = 0; at < entries.length; at++) {
      assert(entries[at]!.index === previous.index + 1 + at, 'entries come without holes');
      if (known === at && this.matchTerm(entries[at]!)) known++;
    }
    if (known < entries.length) this.append(entries.slice(known));
    this.commitTo(Math.min(leaderCommit, last));
    return last;
  }

  /**
   * The largest index up to `index` whose term is not above `term`: below it the logs may agree. Its own
   * term is given too; 0 if it is unknown.
   */
  findConflictByTerm(index: number, term: number): EntryId {
    for (let at = index; at > 0; at--) {
      const ours = this.term(at);
      if (ours === undefined) return { index: at, term: 0 };
      if (ours <= term) return { index: at, term: ours };
    }
    return { index: 0, term: 0 };
  }

  /** Advances the commit index, never back. The entry must be in the log. */
  commitTo(index: number): void {
    if (index <= this.#committed) return;
    assert(index <= this.lastIndex, 'only entries in the log are committed (CommitWithinReach)');
    this.#committed = index;
  }

  /** Commits up to `id` if the entry there is of that term (Raft §5.4.2). Returns whether it did. */
  maybeCommit(id: EntryId): boolean {
    if (id.index <= this.#committed || !this.matchTerm(id)) return false;
    this.commitTo(id.index);
    return true;
  }

  /** Starts over behind a snapshot; everything up to it is committed. */
  restore(snapshot: Snapshot): void {
    assert(
      snapshot.index > this.#committed,
      'a snapshot never takes the commit index back (CommittedStays)',
    );
    this.#committed = snapshot.index;
    this.unstable.restore(snapshot);
  }

  /** The present snapshot; `undefined` if the host has none to give now. */
  snapshot(): Snapshot | undefined {
    assert(!this.unstable.hasSnapshot, 'only who follows has a snapshot on its way to the disk');
    try {
      return this.#storage.snapshot();
    } catch (thrown) {
      if (isRaftError(thrown, 'SnapshotTemporarilyUnavailable')) return undefined;
      throw thrown;
    }
  }

  /** Whether committed entries can be given to the host. `stableOnly`: not those it has yet to write. */
  hasNextCommitted(stableOnly: boolean): boolean {
    if (this.#applyingBytes >= this.#applyingBytesMax || this.unstable.hasSnapshot) return false;
    if (this.#applyBlocked) return false;
    return this.#applying < this.#appliableIndex(stableOnly);
  }

  /** The next committed entries, a page of them. Empty while a snapshot is on its way to the host. */
  nextCommitted(stableOnly: boolean): readonly Entry[] {
    if (!this.hasNextCommitted(stableOnly)) return [];
    const bytesMax = this.#applyingBytesMax - this.#applyingBytes;
    const end = this.#appliableIndex(stableOnly) + 1;
    const entries = this.slice(this.#applying + 1, end, bytesMax);
    // Without this a host that asks for as long as there is something would ask for ever.
    this.#applyBlocked = entries === undefined;
    return entries ?? [];
  }

  /** Bytes of entries that were handed to the host and are not applied. */
  get applyingBytes(): number {
    return this.#applyingBytes;
  }

  /** What could not be read may be readable by now. */
  retryReads(): void {
    this.#applyBlocked = false;
  }

  /** `entries` were handed to the host to be applied. */
  acceptApplying(entries: readonly Entry[]): void {
    this.#applying = entries.at(-1)!.index;
    this.#applyingBytes += entriesBytes(entries);
    assert(
      this.#applying <= this.#committed,
      'only committed entries are applied (StateMachineSafety)',
    );
  }

  /** The host has applied everything up to `index`, `bytes` of entries more than before. */
  appliedTo(index: number, bytes: number): void {
    assert(index >= this.#applied && index <= this.#applying, 'applied moves towards applying');
    this.#applied = index;
    this.#applyingBytes -= bytes;
    assert(this.#applyingBytes >= 0, 'no more bytes are applied than were handed out');
  }

  /** The host has made the snapshot at `index` durable and its state the state machine's. */
  stableSnapshotTo(index: number): void {
    this.unstable.stableSnapshotTo(index);
    assert(this.#applied === this.#applying, 'what was handed out is applied before a snapshot is');
    assert(index > this.#applied, 'a snapshot never takes the state back');
    this.#applying = index;
    this.#applied = index;
  }

  /** Whether an entry in `(applied, committed]` fulfils `is`; true also if they cannot be read now. */
  someUnapplied(is: (entry: Entry) => boolean): boolean {
    // What the host has compacted it has applied, although it may not have said so yet.
    let from = Math.max(this.#applied + 1, this.firstIndex);
    while (from <= this.#committed) {
      const page = this.slice(from, this.#committed + 1, SCAN_BYTES);
      if (page === undefined || page.some(is)) return true;
      from += page.length;
    }
    return false;
  }

  #appliableIndex(stableOnly: boolean): number {
    return stableOnly ? Math.min(this.#committed, this.unstable.offset - 1) : this.#committed;
  }

  /** Stable entries; `undefined` if they cannot be read now. */
  #read(from: number, to: number, bytesMax: number): readonly Entry[] | undefined {
    try {
      const entries = this.#storage.entries(from, to, bytesMax);
      // A read error that was made an empty list would end as a malformed append (pitfall 17).
      assert(entries[0]?.index === from, 'the storage gives at least the first entry asked for');
      return entries;
    } catch (thrown) {
      if (isRaftError(thrown, 'Compacted') || isRaftError(thrown, 'Unavailable')) return undefined;
      throw thrown;
    }
  }
}
