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

  /** Who has come to `seq` of a document. */
  at(document: DocumentName, seq: number): Recipients | undefined {
    return this.#byDocument.get(document)?.get(seq);
  }

  /** `one` has come to `seq` of its document. Returns who was there before: then `one` is nowhere. */
  come(one: Recipients, seq: number): Recipients | undefined {
    const bySeq = this.#placeOf.get(one)?.bySeq ?? this.#seqsOf(one.request);
    const before = bySeq.get(seq);
    this.leave(one);
    if (before !== undefined) return before;
    bySeq.set(seq, one);
    this.#placeOf.set(one, { seq, bySeq });
    if (bySeq.size === 1) this.#byDocument.set(one.request, bySeq);
    return undefined;
  }

  leave(one: Recipients): void {
    const place = this.#placeOf.get(one);
    if (place === undefined) return;
    this.#placeOf.delete(one);
    place.bySeq.delete(place.seq);
    if (place.bySeq.size === 0) this.#byDocument.delete(one.request);
  }

  #seqsOf(document: DocumentName): Map<number, Recipients> {
    return this.#byDocument.get(document) ?? new Map<number, Recipients>();
  }
}
