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
  /** Bytes of them. */
  tailBytes = 0;
  /** Deltas up to here are on disk or in the batch being written. */
  submittedSeq = 0;
  /** Deltas up to here are on disk. */
  durableSeq = 0;
  /** The state, while it is in memory. */
  document: Document | undefined;
  /** Called when the state has been loaded; `undefined` unless that is under way. */
  loading: Array<() => void> | undefined;
  /** Bytes of deltas since the last snapshot; exact only while the state is in memory. */
  bytesSinceSnapshot = 0;
  /** A delta advised a snapshot since the last one was begun. */
  snapshotDue = false;
  /** Watches on it; it stays in memory while there are any. */
  watches = 0;
  /** When it was last read, watched or sent a message, by the monotonic clock. */
  usedMs = 0;

  constructor(space: string, key: string, prefix: Uint8Array) {
    this.space = space;
    this.key = key;
    this.prefix = prefix;
  }

  /** The last applied seq; 0 if neither state nor tail tell. */
  get seq(): number {
    return this.document?.committed.seq ?? this.tail.at(-1)?.seq ?? 0;
  }

  /** Whether nothing but the disk needs to know of it. */
  get isIdle(): boolean {
    return (
      this.tail.length === 0 &&
      this.loading === undefined &&
      this.watches === 0 &&
      (this.document === undefined || this.document.inFlight === 0)
    );
  }

  /** Applies a committed delta. One that is applied already (a replayed entry) changes nothing. */
  apply(record: DeltaRecord, bytes: Uint8Array): TailDelta | undefined {
    const { seq } = this;
    if (record.seq <= seq || record.seq <= this.submittedSeq) return undefined;
    // Without state or tail, what is on disk is trusted to end right before.
    assert(seq === 0 || record.seq === seq + 1, 'deltas of a document have no gap (CommittedOnly)');
    if (this.document !== undefined) foldInto(this.document, record);
    const delta: TailDelta = { seq: record.seq, bytes, record, encoded: undefined };
    this.tail.push(delta);
    this.tailBytes += bytes.length;
    if (record.snapshotAdvised) this.snapshotDue = true;
    return delta;
  }

  /** The delta that makes `seq`, if it is in the tail. */
  tailDelta(seq: number): TailDelta | undefined {
    const first = this.tail[0];
    return first === undefined ? undefined : this.tail[seq - first.seq];
  }

  /** Deltas up to `seq` are durable: they need not be kept here. */
  trimTail(seq: number): void {
    // A load that is under way reads the disk as it was: what came later it finds in the tail.
    if (this.loading !== undefined) return;
    const count = this.tail.findIndex((delta) => delta.seq > seq);
    const gone = this.tail.splice(0, count < 0 ? this.tail.length : count);
    for (const { bytes } of gone) this.tailBytes -= bytes.length;
  }
}

/** The record of a delta, decoded once. */
export function recordOf(delta: TailDelta): DeltaRecord {
  delta.record ??= decodeRecord(delta.bytes);
  return delta.record;
}

/**
 * Folds a committed delta into a state in memory. What this node proposed itself is there already; anything
 * else is applied, and the result held against the leader's hash (StateIsFold).
 */
export function foldInto(document: Document, record: DeltaRecord): void {
  if (document.inFlight > 0) {
    document.commit(record.seq);
    return;
  }
  assert(
    document.committed.seq + 1 === record.seq,
    'deltas of a document have no gap (StateIsFold)',
  );
  document.propose(applyPatch(document.committed.root, parsePatch(record.patch)));
  const { root } = document.commit(record.seq);
  assert(
    hashText(root) === record.hash,
    `the state of ${record.space}/${record.key} at ${record.seq} is the fold of its deltas (StateIsFold)`,
  );
}
