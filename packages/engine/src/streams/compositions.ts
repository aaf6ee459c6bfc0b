// Composed deltas of one turn, so that watchers that lag alike get one that is made and encoded once. Nothing
// of it is kept beyond the turn.

import type { ComposedDelta } from './composed-delta.js';
import type { StreamedDocument } from './document-source.js';

export class Compositions {
  readonly #made = new Map<StreamedDocument, Map<number, ComposedDelta | undefined>>();

  /** What leads from `fromSeq` to the present state of `local`, made if need be; `undefined`: too much. */
  find(
    local: StreamedDocument,
    fromSeq: number,
    make: () => ComposedDelta | undefined,
  ): ComposedDelta | undefined {
    let ofDocument = this.#made.get(local);
    if (ofDocument === undefined) {
      ofDocument = new Map();
      this.#made.set(local, ofDocument);
    }
    if (!ofDocument.has(fromSeq)) ofDocument.set(fromSeq, make());
    return ofDocument.get(fromSeq);
  }

  /** The turn is over. */
  clear(): void {
    this.#made.clear();
  }
}
