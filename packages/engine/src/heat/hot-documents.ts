// The documents that are hot, and how many copies each should have. A document stays among them until it has been
// cool for a while, also when the table has forgotten it meanwhile.

import { DocumentMap } from '../documents/document-map.js';
import type { DocumentName } from '../documents/document-name.js';
import { HeatLevel, type HeatRange, type HeatScale } from './heat-level.js';

/** Where heat is known. */
export interface HeatSource {
  /** Documents that may have become hot: all that have `heat` for certain, in reads per second. */
  atLeast(heat: number): Iterable<DocumentName>;
  rangeOf(document: DocumentName): HeatRange;
}

export interface HotDocumentsOptions extends HeatScale {
  /** At most so many are hot at a time; others have to wait. */
  readonly documentsMax: number;
}

export class HotDocuments {
  readonly #options: HotDocumentsOptions;
  readonly #levels = new DocumentMap<HeatLevel>();

  constructor(options: HotDocumentsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#levels.size;
  }

  /** How many copies a document should have; 0: it is not hot. */
  copiesOf(document: DocumentName): number {
    return this.#levels.get(document)?.copies ?? 0;
  }

  /** The hot ones and how many copies each should have. */
  *all(): Generator<readonly [DocumentName, number], void, void> {
    for (const [document, level] of this.#levels.entries()) yield [document, level.copies];
  }

  /** Called now and then: looks at what is hot by now. */
  tick(nowMs: number, source: HeatSource): void {
    for (const [document, level] of this.#levels.entries()) {
      level.step(source.rangeOf(document), nowMs);
      if (level.copies === 0) this.#levels.delete(document);
    }
    for (const document of source.atLeast(this.#options.hotFrom)) {
      if (this.#levels.size >= this.#options.documentsMax) return;
      if (this.#levels.get(document) !== undefined) continue;
      const level = new HeatLevel(this.#options);
      level.step(source.rangeOf(document), nowMs);
      if (level.copies > 0) this.#levels.set(document, level);
    }
  }
}
