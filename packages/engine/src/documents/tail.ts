// The deltas of a document that are applied and not known to be on disk: without holes, oldest first, each
// where it lies in its log entry. A node holds hundreds of thousands of them for some seconds, so they are two
// numbers each; an object is made of one only when somebody looks at it.

import { assert } from '@deltabase/base';
import { type DeltaRecord, decodeRecord, type RecordPlace, recordAt } from '@deltabase/machine';

/** One delta. Watchers share it; `encoded` is for a transport to keep its form of it in. */
export interface TailDelta {
  readonly seq: number;
  readonly bytes: Uint8Array;
  record: DeltaRecord | undefined;
  encoded: unknown;
}

/** A delta that was read from its document's history. */
export function storedDelta(seq: number, bytes: Uint8Array): TailDelta {
  return { seq, bytes, record: undefined, encoded: undefined };
}

/** The record of a delta, decoded once. */
export function recordOf(delta: TailDelta): DeltaRecord {
  delta.record ??= decodeRecord(delta.bytes);
  return delta.record;
}

export class Tail {
  /** The seq of the first delta, if there is one. */
  #firstSeq = 0;
  readonly #entries: Uint8Array[] = [];
  readonly #offsets: number[] = [];
  /** Deltas that somebody looked at, by seq. */
  #seen: Map<number, TailDelta> | undefined;

  get length(): number {
    return this.#entries.length;
  }

  /** The last delta's seq; 0 if there is none. */
  get lastSeq(): number {
    return this.#entries.length === 0 ? 0 : this.#firstSeq + this.#entries.length - 1;
  }

  /** Adds the delta that makes `seq`, the record at `offset` of `entry`. */
  push(seq: number, entry: Uint8Array, offset: number): void {
    if (this.#entries.length === 0) this.#firstSeq = seq;
    assert(seq === this.#firstSeq + this.#entries.length, 'a tail has no holes');
    this.#entries.push(entry);
    this.#offsets.push(offset);
  }

  /** The delta that makes `seq`, if it is here. */
  find(seq: number): TailDelta | undefined {
    const at = seq - this.#firstSeq;
    const entry = this.#entries[at];
    if (entry === undefined) return undefined;
    const seen = this.#seen?.get(seq);
    if (seen !== undefined) return seen;
    const delta = storedDelta(seq, recordAt(entry, this.#offsets[at]!));
    this.#seen ??= new Map();
    this.#seen.set(seq, delta);
    return delta;
  }

  /** The deltas of `(afterSeq, seqMax]` that are here, oldest first. */
  between(afterSeq: number, seqMax: number): TailDelta[] {
    const deltas: TailDelta[] = [];
    for (let seq = Math.max(afterSeq + 1, this.#firstSeq); seq <= seqMax; seq++) {
      const delta = this.find(seq);
      if (delta === undefined) break;
      deltas.push(delta);
    }
    return deltas;
  }

  /** Where the deltas behind `afterSeq` lie, oldest first. */
  placesAfter(afterSeq: number): RecordPlace[] {
    const places: RecordPlace[] = [];
    for (let at = this.#countTo(afterSeq); at < this.#entries.length; at++) {
      places.push({ entry: this.#entries[at]!, offset: this.#offsets[at]! });
    }
    return places;
  }

  /** Lets go of the deltas up to `seq`. */
  trim(seq: number): void {
    const count = this.#countTo(seq);
    if (count === 0) return;
    this.#firstSeq += count;
    if (count === this.#entries.length) {
      this.#entries.length = 0;
      this.#offsets.length = 0;
      this.#seen = undefined;
      return;
    }
    this.#entries.splice(0, count);
    this.#offsets.splice(0, count);
    if (this.#seen === undefined) return;
    for (const known of this.#seen.keys()) if (known <= seq) this.#seen.delete(known);
  }

  /** How many deltas are here up to `seq`. */
  #countTo(seq: number): number {
    return Math.min(Math.max(0, seq - this.#firstSeq + 1), this.#entries.length);
  }
}
