// A group's log on disk, as the Raft core reads it: recent entries from memory, older ones from the disk.
// Entries get in here when they are durable; the same goes for what replaces them (invariant AckedIsDurable).

import { assert } from '@deltabase/base';
import {
  type ConfState,
  type Entry,
  entryBytes,
  type HardState,
  limitEntries,
  RaftError,
  type Snapshot,
  type Storage,
} from 'raft-ts';
import type { Disk, DiskOperation } from '../ports.js';
import { entryKey } from './keys.js';
import { compactedPlace } from './log-beginning.js';
import { decodeEntry, encodeEntry } from './rows.js';
import { TermRuns } from './term-runs.js';

/** What a group's log begins with. */
export interface LogStart {
  readonly hardState: HardState;
  /** The number under which the entries are on disk. */
  readonly number: number;
  /** The state machine's last flushed position: the log before it may be gone. */
  readonly snapshot: Snapshot;
  /** All entries on disk, in order, at or before the snapshot's index and up to the end. */
  readonly entries: readonly Entry[];
}

/** Entries read from disk at a time, each by itself: about a millisecond. */
const READ_ENTRIES_MAX = 128;

/** What a cache that became too large has left of its most, so that each of the next entries does not move all of it again. */
const TRIMMED_PART = 0.75;

export class LogStore implements Storage {
  readonly #group: number;
  readonly #disk: Disk;
  readonly #cacheBytesMax: number;
  readonly #hardState: HardState;
  readonly #number: number;
  #snapshot: Snapshot;
  /** The entry right before the first one that is kept. */
  #compactedIndex: number;
  #lastIndex: number;
  /** From the compacted entry to the last one. */
  #terms: TermRuns;
  /** The last index on disk once every write that was asked for is done. */
  #submittedEnd: number;
  /** The newest entries, up to the last. */
  #cache: Entry[];
  #cacheBytes: number;
  #logBytes: number;
  /** Bytes of the entries on disk by index, from the first kept on; for compaction by size. */
  #sizes: number[];

  constructor(group: number, disk: Disk, start: LogStart, cacheBytesMax: number) {
    this.#group = group;
    this.#disk = disk;
    this.#cacheBytesMax = cacheBytesMax;
    this.#hardState = start.hardState;
    this.#number = start.number;
    this.#snapshot = start.snapshot;
    const { index, term } = compactedPlace(start.entries[0], start.snapshot);
    this.#compactedIndex = index;
    this.#terms = new TermRuns(index, term);
    this.#cache = start.entries.filter((entry) => entry.index > index);
    for (const entry of this.#cache) this.#terms.append(entry.index, entry.term);
    this.#lastIndex = this.#cache.at(-1)?.index ?? index;
    this.#submittedEnd = this.#lastIndex;
    this.#sizes = this.#cache.map(entryBytes);
    this.#logBytes = this.#sizes.reduce((sum, bytes) => sum + bytes, 0);
    this.#cacheBytes = this.#logBytes;
    this.trimCache(start.snapshot.index + 1);
  }

  /** Bytes of the entries that are kept on disk. */
  get bytes(): number {
    return this.#logBytes;
  }

  /** Bytes of the cached entries before `index`. */
  cachedBytesBefore(index: number): number {
    const count = Math.max(0, index - this.#cacheStart);
    return this.#cache.slice(0, count).reduce((sum, entry) => sum + entryBytes(entry), 0);
  }

  initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#snapshot.confState };
  }

  entries(from: number, to: number, bytesMax: number): readonly Entry[] {
    if (from <= this.#compactedIndex) throw compacted(from);
    if (to > this.#lastIndex + 1) throw unavailable(to);
    const cacheStart = this.#cacheStart;
    if (from >= cacheStart) {
      return limitEntries(this.#cache.slice(from - cacheStart, to - cacheStart), bytesMax);
    }
    return this.#readEntries(from, Math.min(to, cacheStart), bytesMax);
  }

  term(index: number): number {
    if (index < this.#compactedIndex) throw compacted(index);
    if (index > this.#lastIndex) throw unavailable(index);
    return this.#terms.at(index);
  }

  firstIndex(): number {
    return this.#compactedIndex + 1;
  }

  lastIndex(): number {
    return this.#lastIndex;
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** The operations that put `entries` on disk, in place of all at their indices and after them. */
  appendOperations(entries: readonly Entry[]): DiskOperation[] {
    const operations: DiskOperation[] = [];
    for (const entry of entries) {
      const key = this.#key(entry.index);
      operations.push({ kind: 'put', key, value: encodeEntry(entry) });
    }
    const last = entries.at(-1)?.index ?? this.#submittedEnd;
    this.#delete(last + 1, this.#submittedEnd, operations);
    this.#submittedEnd = last;
    return operations;
  }

  /** The operations that remove the whole log from the disk, for a snapshot at `index` to replace it. */
  clearOperations(index: number): DiskOperation[] {
    const operations: DiskOperation[] = [];
    this.#delete(this.#compactedIndex, this.#submittedEnd, operations);
    this.#submittedEnd = index;
    return operations;
  }

  /** `entries` are durable. */
  appended(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index > this.#compactedIndex, 'what is compacted is never written again');
    assert(first.index <= this.#lastIndex + 1, 'a log has no holes');
    this.#truncate(first.index);
    for (const entry of entries) {
      const bytes = entryBytes(entry);
      this.#cache.push(entry);
      this.#sizes.push(bytes);
      this.#cacheBytes += bytes;
      this.#logBytes += bytes;
      this.#terms.append(entry.index, entry.term);
    }
    this.#lastIndex = entries.at(-1)!.index;
  }

  /** Lets go of cached entries before `index` if the cache is too large, of some at a time. */
  trimCache(index: number): void {
    if (this.#cacheBytes <= this.#cacheBytesMax) return;
    let count = 0;
    const cacheStart = this.#cacheStart;
    while (
      this.#cacheBytes > this.#cacheBytesMax * TRIMMED_PART &&
      cacheStart + count < index &&
      count < this.#cache.length
    ) {
      this.#cacheBytes -= entryBytes(this.#cache[count]!);
      count++;
    }
    this.#cache.splice(0, count);
  }

  /** The state machine is on disk up to `snapshot.index`. */
  flushed(snapshot: Snapshot): void {
    assert(snapshot.index >= this.#snapshot.index, 'flushing moves forward');
    assert(snapshot.index <= this.#lastIndex, 'what is flushed was in the log');
    this.#snapshot = snapshot;
  }

  /** The largest index up to which the log may go, keeping at least `bytesMin` of what is flushed. */
  compactableTo(bytesMin: number): number {
    let bytes = this.#logBytes;
    let index = this.#compactedIndex;
    const flushed = this.#snapshot.index;
    for (const size of this.#sizes) {
      if (index + 1 >= flushed || bytes - size < bytesMin) break;
      bytes -= size;
      index++;
    }
    return index;
  }

  /** The operations that remove the log up to `index`, 2 or more. It is gone from memory at once. */
  compact(index: number): DiskOperation[] {
    const before = this.#compactedIndex;
    assert(index > before && index <= this.#snapshot.index, 'only what is flushed is compacted');
    assert(index > 1, 'a log on disk that begins with the first entry has lost none');
    const operations: DiskOperation[] = [];
    // The entry at `index` itself stays: it is what tells the term of the log's beginning.
    this.#delete(before, index - 1, operations);
    for (const bytes of this.#sizes.splice(0, index - before)) this.#logBytes -= bytes;
    this.#dropCacheTo(index);
    this.#terms.compact(index);
    this.#compactedIndex = index;
    return operations;
  }

  /** Everything is replaced by a snapshot, on disk too (`clearOperations`). */
  restored(snapshot: Snapshot): void {
    const { index, term } = snapshot;
    assert(index > this.#snapshot.index, 'a snapshot never takes the state back');
    this.#snapshot = snapshot;
    this.#compactedIndex = index;
    this.#lastIndex = index;
    this.#terms = new TermRuns(index, term);
    this.#cache = [];
    this.#sizes = [];
    this.#cacheBytes = 0;
    this.#logBytes = 0;
  }

  #key(index: number): Uint8Array {
    return entryKey(this.#group, index, this.#number);
  }

  get #cacheStart(): number {
    return this.#lastIndex + 1 - this.#cache.length;
  }

  /** Removes the entries `[first, last]` from the disk. */
  #delete(first: number, last: number, operations: DiskOperation[]): void {
    for (let index = first; index <= last; index++) {
      operations.push({ kind: 'del', key: this.#key(index) });
    }
  }

  #truncate(from: number): void {
    if (from > this.#lastIndex) return;
    const keep = Math.max(0, from - this.#cacheStart);
    for (const entry of this.#cache.splice(keep)) this.#cacheBytes -= entryBytes(entry);
    for (const size of this.#sizes.splice(from - this.firstIndex())) this.#logBytes -= size;
    this.#terms.truncate(from);
    this.#lastIndex = from - 1;
  }

  #dropCacheTo(index: number): void {
    const count = Math.min(Math.max(0, index + 1 - this.#cacheStart), this.#cache.length);
    for (const entry of this.#cache.splice(0, count)) this.#cacheBytes -= entryBytes(entry);
  }

  #readEntries(from: number, to: number, bytesMax: number): readonly Entry[] {
    const entries: Entry[] = [];
    const end = Math.min(to, from + READ_ENTRIES_MAX);
    let bytes = 0;
    for (let index = from; index < end && bytes < bytesMax; index++) {
      const entry = this.#readEntry(index);
      bytes += entryBytes(entry);
      entries.push(entry);
    }
    return limitEntries(entries, bytesMax);
  }

  #readEntry(index: number): Entry {
    const bytes = this.#disk.getSync(this.#key(index));
    // Rows are removed only after they are compacted here, and asked for only if they are not.
    assert(bytes !== undefined, 'the entries of the log are on disk');
    return decodeEntry(index, bytes);
  }
}

function compacted(index: number): RaftError {
  return new RaftError('Compacted', `entry ${index} is compacted`);
}

function unavailable(index: number): RaftError {
  return new RaftError('Unavailable', `entry ${index} is not available`);
}
