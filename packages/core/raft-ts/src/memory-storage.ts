// A Storage in memory, for tests and for hosts that keep no state across restarts. Its configuration is the
// snapshot's, so a replica that is made anew on it must begin to apply there: `applied` 0, or the snapshot's.

import { assert } from './assert.js';
import { RaftError } from './errors.js';
import type { Storage } from './storage.js';
import {
  type ConfState,
  type Entry,
  type HardState,
  limitEntries,
  NONE,
  type Snapshot,
  votersOnly,
} from './types.js';

const NO_DATA = new Uint8Array(0);

/** Entries after a snapshot, in one array. */
export class MemoryStorage implements Storage {
  #hardState: HardState;
  #snapshot: Snapshot;
  /** The entries from `#compacted.index + 1` on. */
  #entries: Entry[] = [];
  #compacted: { index: number; term: number };

  /** Starts at a snapshot at `index` 0, or wherever `snapshot` says, with its configuration. */
  constructor(start: readonly number[] | Snapshot = []) {
    this.#snapshot =
      'confState' in start
        ? start
        : { index: 0, term: 0, confState: votersOnly(start), data: NO_DATA };
    const { index, term } = this.#snapshot;
    this.#compacted = { index, term };
    this.#hardState = { term, vote: NONE, commit: index };
  }

  initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#snapshot.confState };
  }

  entries(from: number, to: number, bytesMax: number): readonly Entry[] {
    if (from <= this.#compacted.index) throw compacted(from);
    if (to > this.lastIndex() + 1) throw unavailable(to);
    const offset = this.firstIndex();
    return limitEntries(this.#entries.slice(from - offset, to - offset), bytesMax);
  }

  term(index: number): number {
    if (index === this.#compacted.index) return this.#compacted.term;
    if (index < this.#compacted.index) throw compacted(index);
    if (index > this.lastIndex()) throw unavailable(index);
    return this.#entries[index - this.firstIndex()]!.term;
  }

  firstIndex(): number {
    return this.#compacted.index + 1;
  }

  lastIndex(): number {
    return this.#compacted.index + this.#entries.length;
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Stores a hard state. */
  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** Stores entries; whatever was at their indices or after them goes. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index <= this.lastIndex() + 1, 'a log has no holes');
    const fresh = entries.filter((entry) => entry.index > this.#compacted.index);
    if (fresh.length === 0) return;
    this.#entries.length = fresh[0]!.index - this.firstIndex();
    for (const entry of fresh) this.#entries.push(entry);
  }

  /** Replaces everything by a snapshot from the leader. Throws RaftError SnapshotOutOfDate. */
  applySnapshot(snapshot: Snapshot): void {
    if (snapshot.index <= this.#snapshot.index) {
      throw new RaftError('SnapshotOutOfDate', `snapshot ${snapshot.index} is not newer`);
    }
    this.#snapshot = snapshot;
    this.#compacted = { index: snapshot.index, term: snapshot.term };
    this.#entries = [];
  }

  /** Takes a snapshot of the state after `index`, which must be in the log and applied. */
  createSnapshot(index: number, confState: ConfState, data: Uint8Array): void {
    if (index <= this.#snapshot.index) {
      throw new RaftError('SnapshotOutOfDate', `snapshot ${index} is not newer`);
    }
    this.#snapshot = { index, term: this.term(index), confState, data };
  }

  /** Forgets the entries up to and including `index`. Throws RaftError Compacted if they are gone already. */
  compact(index: number): void {
    if (index <= this.#compacted.index) throw compacted(index);
    assert(index <= this.#snapshot.index, 'only what is in the snapshot can be compacted');
    const term = this.term(index);
    this.#entries.splice(0, index - this.#compacted.index);
    this.#compacted = { index, term };
  }
}

function compacted(index: number): RaftError {
  return new RaftError('Compacted', `entry ${index} is compacted`);
}

function unavailable(index: number): RaftError {
  return new RaftError('Unavailable', `entry ${index} is not available`);
}
