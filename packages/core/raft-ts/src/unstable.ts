// The tail of the log that is not known to be on stable storage yet, and a snapshot on its way there.
// Entries `[offset, offset + entries.length)`; those below `offsetInProgress` were handed to the host.

import { assert } from './assert.js';
import type { Entry, EntryId, Snapshot } from './types.js';

export class Unstable {
  #entries: Entry[] = [];
  #offset: number;
  #offsetInProgress: number;
  #snapshot: Snapshot | undefined;
  #snapshotInProgress = false;

  constructor(offset: number) {
    this.#offset = offset;
    this.#offsetInProgress = offset;
  }

  /** The index of the first entry that is not stable, or would be. */
  get offset(): number {
    return this.#offset;
  }

  get entryCount(): number {
    return this.#entries.length;
  }

  get hasNextEntries(): boolean {
    return this.#offset + this.#entries.length > this.#offsetInProgress;
  }

  get hasNextSnapshot(): boolean {
    return this.#snapshot !== undefined && !this.#snapshotInProgress;
  }

  get hasSnapshot(): boolean {
    return this.#snapshot !== undefined;
  }

  /** The first index after the snapshot, if there is one. */
  get firstIndex(): number | undefined {
    return this.#snapshot === undefined ? undefined : this.#snapshot.index + 1;
  }

  /** The last index in here; `undefined` if there is neither entry nor snapshot. */
  get lastIndex(): number | undefined {
    if (this.#entries.length > 0) return this.#offset + this.#entries.length - 1;
    return this.#snapshot?.index;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** The term of an index in here; `undefined` if it is not. */
  term(index: number): number | undefined {
    if (index < this.#offset) {
      return this.#snapshot?.index === index ? this.#snapshot.term : undefined;
    }
    return this.#entries[index - this.#offset]?.term;
  }

  /** The entries `[from, to)`, all of which are in here. */
  slice(from: number, to: number): readonly Entry[] {
    assert(from >= this.#offset, 'a slice of the unstable tail begins in it');
    assert(to <= this.#offset + this.#entries.length, 'a slice of the unstable tail ends in it');
    return this.#entries.slice(from - this.#offset, to - this.#offset);
  }

  /** Entries that the host was not given yet. */
  nextEntries(): readonly Entry[] {
    return this.#entries.slice(this.#offsetInProgress - this.#offset);
  }

  /** Everything in here has been handed to the host. */
  accept(): void {
    this.#offsetInProgress = this.#offset + this.#entries.length;
    if (this.#snapshot !== undefined) this.#snapshotInProgress = true;
  }

  /** Puts `entries` in, in place of whatever was at their indices and after them. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = entries[0]!.index;
    const end = this.#offset + this.#entries.length;
    assert(from <= end, 'a log has no holes');
    if (from === end) {
      for (const entry of entries) this.#entries.push(entry);
    } else if (from <= this.#offset) {
      this.#entries = [...entries];
      this.#offset = from;
      this.#offsetInProgress = from;
    } else {
      this.#entries = [...this.#entries.slice(0, from - this.#offset), ...entries];
      this.#offsetInProgress = Math.min(this.#offsetInProgress, from);
    }
  }

  /**
   * The host has made entries durable up to `last`. Ignored if another entry stands there now, or none:
   * the tail was replaced while the write was under way (the ABA case of asynchronous writes).
   */
  stableTo(last: EntryId): void {
    if (last.index < this.#offset || this.term(last.index) !== last.term) return;
    this.#entries = this.#entries.slice(last.index + 1 - this.#offset);
    this.#offset = last.index + 1;
    this.#offsetInProgress = Math.max(this.#offsetInProgress, this.#offset);
  }

  /** The host has made the snapshot at `index` durable. */
  stableSnapshotTo(index: number): void {
    if (this.#snapshot?.index !== index) return;
    this.#snapshot = undefined;
    this.#snapshotInProgress = false;
  }

  /** Starts over behind a snapshot. */
  restore(snapshot: Snapshot): void {
    this.#entries = [];
    this.#offset = snapshot.index + 1;
    this.#offsetInProgress = this.#offset;
    this.#snapshot = snapshot;
    this.#snapshotInProgress = false;
  }
}
