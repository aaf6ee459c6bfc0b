// The deltas of a document that are applied and not known to be on disk: without holes, oldest first, each
// where it lies in its log entry. A node holds hundreds of thousands of them for some seconds, so they are two
// numbers each; an object is made of one only when somebody looks at it.

import { assert } from '@deltabase/base';
import { type DeltaRecord, type DeltasWriter, decodeRecord, recordAt } from '@deltabase/machine';

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
  /** The seqs of the first delta, if there is one, and of the last. */
  #firstSeq = 0;
  #lastSeq = 0;
  /** The entry and the offset of each delta, one behind the other: what lies together is loaded together. */
  readonly #places: Array<Uint8Array | number> = [];
  /** Deltas that somebody looked at, by seq. */
  #seen: Map<number, TailDelta> | undefined;

  get length(): number {
    return this.#places.length / 2;
  }

  /** The first delta's seq; 0 if there is none. */
  get firstSeq(): number {
    return this.#firstSeq;
  }

  /** The last delta's seq; 0 if there is none. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Adds the delta that makes `seq`, the record at `offset` of `entry`. */
  push(seq: number, entry: Uint8Array, offset: number): void {
    if (this.#lastSeq === 0) this.#firstSeq = seq;
    else assert(seq === this.#lastSeq + 1, 'a tail has no holes');
    this.#lastSeq = seq;
    this.#places.push(entry, offset);
  }

  /** The delta that makes `seq`, if it is here. */
  find(seq: number): TailDelta | undefined {
    if (this.#lastSeq === 0 || seq < this.#firstSeq || seq > this.#lastSeq) return undefined;
    const seen = this.#seen?.get(seq);
    if (seen !== undefined) return seen;
    const delta = storedDelta(seq, recordAt(this.#entryOf(seq), this.#offsetOf(seq)));
    this.#seen ??= new Map();
    this.#seen.set(seq, delta);
    return delta;
  }

  /** The deltas of `(afterSeq, seqMax]` that are here, oldest first. */
  between(afterSeq: number, seqMax: number): TailDelta[] {
    const deltas: TailDelta[] = [];
    const last = Math.min(seqMax, this.#lastSeq);
    for (let seq = Math.max(afterSeq + 1, this.#firstSeq); seq <= last; seq++) {
      deltas.push(this.find(seq)!);
    }
    return deltas;
  }

  /** Calls `take` with the place of each delta behind `afterSeq`, oldest first. */
  each(afterSeq: number, take: (entry: Uint8Array, offset: number) => void): void {
    for (let seq = Math.max(afterSeq + 1, this.#firstSeq); seq <= this.#lastSeq; seq++) {
      take(this.#entryOf(seq), this.#offsetOf(seq));
    }
  }

  /** Copies the record of the delta that makes `seq`, which must be here. */
  copyTo(writer: DeltasWriter, seq: number): void {
    assert(seq >= this.#firstSeq && seq <= this.#lastSeq, 'what is copied is in the tail');
    writer.copy(this.#entryOf(seq), this.#offsetOf(seq));
  }

  /** Lets go of the deltas up to `seq`. */
  trim(seq: number): void {
    if (seq < this.#firstSeq || this.#lastSeq === 0) return;
    if (seq >= this.#lastSeq) {
      this.#places.length = 0;
      this.#firstSeq = 0;
      this.#lastSeq = 0;
      this.#seen = undefined;
      return;
    }
    this.#places.splice(0, 2 * (seq + 1 - this.#firstSeq));
    this.#firstSeq = seq + 1;
    if (this.#seen === undefined) return;
    for (const known of this.#seen.keys()) if (known <= seq) this.#seen.delete(known);
  }

  #entryOf(seq: number): Uint8Array {
    return this.#places[2 * (seq - this.#firstSeq)] as Uint8Array;
  }

  #offsetOf(seq: number): number {
    return this.#places[2 * (seq - this.#firstSeq) + 1] as number;
  }
}
