// A document as this node holds it. Two parts, either of which may be missing:
//   tail      the deltas that are applied and not on disk yet, in their stored form;
//   document  the state, once something here wanted to read it or to run a message on it.
// A follower that nobody reads from keeps a tail only: it applies a delta without looking into it, and folds
// when it must (StateIsFold is checked then).

import { assert } from '@deltabase/base';
import { applyPatch, type Document, hashText, type Version } from '@deltabase/delta';
import { decodeStep, type RecordHead, type RecordStep, recordLength } from '@deltabase/machine';
import { Tail } from './tail.js';

/**
 * Told of a document's version whenever it is another committed one, in order, while the state is in memory. Of deltas of one
 * entry it may see the last only: the others are in the tail.
 */
export interface DocumentObserver {
  applied(version: Version): void;
}

export class LocalDocument {
  readonly space: string;
  readonly key: string;
  /** What its rows on disk begin with. */
  readonly prefix: Uint8Array;
  /** Applied deltas that are not known to be on disk. */
  readonly tail = new Tail();
  /** Whether something of the tail is yet to be given to be written. */
  isDirty = false;
  /** Deltas up to here are on disk or in the batch being written; 0: not known. */
  submittedSeq = 0;
  /** Deltas up to here are on disk; 0: not known. */
  durableSeq = 0;
  /** The state, while it is in memory. */
  document: Document | undefined;
  /** Called when the state has been loaded, or will not be; `undefined` unless that is under way. */
  loading: Array<(loaded: boolean) => void> | undefined;
  /** Bytes of the committed deltas since the last one that advised a snapshot, FOLD_BYTES more for each; while the state is in memory. */
  bytesSinceSnapshot = 0;
  /** The same of all deltas applied since it came into memory. */
  appliedBytes = 0;
  /** A delta advised a snapshot, which is not begun. */
  snapshotDue = false;
  /** Who must be told of changes; it stays in memory while there are any. */
  watches = 0;
  observer: DocumentObserver | undefined;
  /** Messages wait for its state or its machine; it stays in memory. */
  parked = false;
  /** What its state was counted as when it last changed, bytes (residency.ts). */
  residentBytes = 0;
  /** When it was last read, watched or sent a message, by the monotonic clock. */
  usedMs = 0;

  constructor(space: string, key: string, prefix: Uint8Array) {
    this.space = space;
    this.key = key;
    this.prefix = prefix;
  }

  /** The last applied seq; 0 if that is not known without its rows. */
  get seq(): number {
    return this.document?.committedSeq ?? (this.tail.lastSeq || this.submittedSeq);
  }

  /** Whether nothing but the disk needs to know of it. */
  get isIdle(): boolean {
    return (
      this.tail.length === 0 &&
      this.loading === undefined &&
      this.watches === 0 &&
      !this.parked &&
      (this.document === undefined || this.document.inFlight === 0)
    );
  }

  /**
   * Applies a committed delta, the record at `offset` of `entry`. One that is applied already changes nothing:
   * `false`.
   */
  apply(head: RecordHead, entry: Uint8Array, offset: number): boolean {
    const { seq } = this;
    if (head.seq <= seq) return false;
    // Where nothing is known, what is on disk is trusted to end right before.
    assert(seq === 0 || head.seq === seq + 1, 'deltas of a document have no gap (CommittedOnly)');
    const { document } = this;
    if (document !== undefined) {
      const bytes = foldBytes(entry, offset);
      // What this node proposed itself is there already.
      if (document.inFlight > 0) document.commit(head.seq);
      else this.#fold(document, decodeStep(entry, offset));
      this.appliedBytes += bytes;
      this.#countBytes(head.snapshotAdvised, bytes);
    }
    this.tail.push(head.seq, entry, offset);
    if (head.snapshotAdvised) this.snapshotDue = true;
    const version = document?.committed;
    if (version?.seq === head.seq) this.observer?.applied(version);
    return true;
  }

  /** The state has been loaded; the tail is folded onto it. */
  loaded(document: Document, bytesSinceSnapshot: number): void {
    assert(this.document === undefined, 'a state is loaded once');
    this.bytesSinceSnapshot = bytesSinceSnapshot;
    this.tail.each(document.committed.seq, (entry, offset) => {
      const step = decodeStep(entry, offset);
      this.#fold(document, step);
      this.#countBytes(step.snapshotAdvised, foldBytes(entry, offset));
    });
    this.document = document;
  }

  /** Deltas up to `seq` are durable: they need not be kept here. */
  trimTail(seq: number): void {
    // A load that is under way reads the disk as it was: what came later it finds in the tail.
    if (this.loading === undefined) this.tail.trim(seq);
  }

  /** Folds a committed delta into a state, and holds the result against the leader's hash (StateIsFold). */
  #fold(document: Document, { seq, patch, hash }: RecordStep): void {
    assert(document.committed.seq + 1 === seq, 'deltas of a document have no gap (StateIsFold)');
    document.propose(applyPatch(document.committed.root, patch));
    document.commit(seq);
    assert(
      hashText(document.committed.root) === hash,
      `the state of ${this.space}/${this.key} at ${seq} is the fold of its deltas (StateIsFold)`,
    );
  }

  #countBytes(snapshotAdvised: boolean, bytes: number): void {
    if (snapshotAdvised) this.bytesSinceSnapshot = 0;
    else this.bytesSinceSnapshot += bytes;
  }
}

/** What it costs to fold a delta, however small it is, in bytes of one: a snapshot is worth what it saves. */
export const FOLD_BYTES = 128;

/** What the delta whose record is at `offset` of `entry` counts as. */
export function foldBytes(entry: Uint8Array, offset: number): number {
  return FOLD_BYTES + recordLength(entry, offset);
}
