// A document as this node holds it. Two parts, either of which may be missing:
//   tail      the deltas that are applied and not on disk yet, in their stored form;
//   document  the state, once something here wanted to read it or to run a message on it.
// A follower that nobody reads from keeps a tail only: it applies a delta without looking into it, and folds
// when it must (StateIsFold is checked then).

import { assert } from '@deltabase/base';
import { applyPatch, type Document, hashText, parsePatch } from '@deltabase/delta';
import { type DeltaRecord, decodeRecord } from '@deltabase/machine';

/** One delta of the tail. Watchers share it; `encoded` is for a transport to keep its form of it in. */
export interface TailDelta {
  readonly seq: number;
  readonly bytes: Uint8Array;
  record: DeltaRecord | undefined;
  encoded: unknown;
}

export class LocalDocument {
  readonly space: string;
  readonly key: string;
  /** What its rows on disk begin with. */
  readonly prefix: Uint8Array;
  /** Applied deltas that are not known to be on disk, oldest first, without holes. */
  tail: TailDelta[] = [];
  /** Deltas up to here are on disk or in the batch being written; 0: not known. */
  submittedSeq = 0;
  /** Deltas up to here are on disk; 0: not known. */
  durableSeq = 0;
  /** The state, while it is in memory. */
  document: Document | undefined;
  /** Called when the state has been loaded, or will not be; `undefined` unless that is under way. */
  loading: Array<(loaded: boolean) => void> | undefined;
  /** Bytes of committed deltas since the last one that advised a snapshot; while the state is in memory. */
  bytesSinceSnapshot = 0;
  /** A delta advised a snapshot, which is not begun. */
  snapshotDue = false;
  /** Who must be told of changes; it stays in memory while there are any. */
  watches = 0;
  /** Messages wait for its state or its machine; it stays in memory. */
  parked = false;
  /** When it was last read, watched or sent a message, by the monotonic clock. */
  usedMs = 0;

  constructor(space: string, key: string, prefix: Uint8Array) {
    this.space = space;
    this.key = key;
    this.prefix = prefix;
  }

  /** The last applied seq; 0 if that is not known without its rows. */
  get seq(): number {
    return this.document?.committed.seq ?? this.tail.at(-1)?.seq ?? this.submittedSeq;
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

  /** Applies a committed delta; `bytes` are the record's. One that is applied already changes nothing. */
  apply(record: DeltaRecord, bytes: Uint8Array): TailDelta | undefined {
    const { seq } = this;
    if (record.seq <= seq) return undefined;
    // Where nothing is known, what is on disk is trusted to end right before.
    assert(seq === 0 || record.seq === seq + 1, 'deltas of a document have no gap (CommittedOnly)');
    if (this.document !== undefined) this.#fold(this.document, record, bytes);
    // Without the record, which may share the buffer of a whole frame.
    const delta: TailDelta = { seq: record.seq, bytes, record: undefined, encoded: undefined };
    this.tail.push(delta);
    if (record.snapshotAdvised) this.snapshotDue = true;
    return delta;
  }

  /** The state has been loaded; the tail is folded onto it. */
  loaded(document: Document, bytesSinceSnapshot: number): void {
    assert(this.document === undefined, 'a state is loaded once');
    this.bytesSinceSnapshot = bytesSinceSnapshot;
    for (const delta of this.tail) {
      if (delta.seq > document.committed.seq) this.#fold(document, recordOf(delta), delta.bytes);
    }
    this.document = document;
  }

  /** The delta that makes `seq`, if it is in the tail. */
  tailDelta(seq: number): TailDelta | undefined {
    const first = this.tail[0];
    return first === undefined || seq < first.seq ? undefined : this.tail[seq - first.seq];
  }

  /** Deltas up to `seq` are durable: they need not be kept here. */
  trimTail(seq: number): void {
    // A load that is under way reads the disk as it was: what came later it finds in the tail.
    if (this.loading !== undefined) return;
    const count = this.tail.findIndex((delta) => delta.seq > seq);
    this.tail.splice(0, count < 0 ? this.tail.length : count);
  }

  #fold(document: Document, record: DeltaRecord, bytes: Uint8Array): void {
    foldInto(document, record);
    if (record.snapshotAdvised) this.bytesSinceSnapshot = 0;
    else this.bytesSinceSnapshot += bytes.length;
  }
}

/** The record of a delta, decoded once. */
export function recordOf(delta: TailDelta): DeltaRecord {
  delta.record ??= decodeRecord(delta.bytes);
  return delta.record;
}

/** What is committed was held to its leader's limits: a copy takes it as it is. */
export const COMMITTED = { depthMax: Number.MAX_SAFE_INTEGER - 2 } as const;

/**
 * Folds a committed delta into a state in memory. What this node proposed itself is there already; anything
 * else is applied, and the result held against the leader's hash (StateIsFold).
 */
function foldInto(document: Document, record: DeltaRecord): void {
  const { space, key, seq, patch, hash } = record;
  assert(document.committed.seq + 1 === seq, 'deltas of a document have no gap (StateIsFold)');
  if (document.inFlight > 0) {
    document.commit(seq);
    return;
  }
  document.propose(applyPatch(document.committed.root, parsePatch(patch, COMMITTED)));
  const { root } = document.commit(seq);
  assert(
    hashText(root) === hash,
    `the state of ${space}/${key} at ${seq} is the fold of its deltas (StateIsFold)`,
  );
}
