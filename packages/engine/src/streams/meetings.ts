// Who of a stream is where in which document: at each seq one, whom those that come there join.

import { DocumentMap } from '../documents/document-map.js';
import type { DocumentName } from '../documents/document-name.js';
import type { Recipients } from './recipients.js';

interface Place {
  readonly seq: number;
  readonly bySeq: Map<number, Recipients>;
}

export class Meetings {
  readonly #byDocument = new DocumentMap<Map<number, Recipients>>();
  readonly #placeOf = new Map<Recipients, Place>();

  /** How many are somewhere. */
  get size(): number {
    return this.#placeOf.size;
  }

  /** `one` has come to `seq` of its document and takes the place there. Returns who was there before, and is nowhere now. */
  come(one: Recipients, seq: number): Recipients | undefined {
    const place = this.#placeOf.get(one);
    const bySeq = place?.bySeq ?? this.#seqsOf(one.request);
    const before = bySeq.get(seq);
    if (before !== undefined) this.#placeOf.delete(before);
    bySeq.set(seq, one);
    if (place !== undefined) bySeq.delete(place.seq);
    this.#placeOf.set(one, { seq, bySeq });
    return before;
  }

  leave(one: Recipients): void {
    const place = this.#placeOf.get(one);
    if (place === undefined) return;
    this.#placeOf.delete(one);
    place.bySeq.delete(place.seq);
    if (place.bySeq.size === 0) this.#byDocument.delete(one.request);
  }

  #seqsOf(document: DocumentName): Map<number, Recipients> {
    let bySeq = this.#byDocument.get(document);
    if (bySeq === undefined) {
      bySeq = new Map();
      this.#byDocument.set(document, bySeq);
    }
    return bySeq;
  }
}
