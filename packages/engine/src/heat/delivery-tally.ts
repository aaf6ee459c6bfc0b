// Adds up what watchers are given, so that all watchers of a document that get something one after the other are
// counted at once.

import type { DocumentName } from './document-map.js';
import type { HeatCounter } from './heat.js';

export class DeliveryTally {
  readonly #heat: HeatCounter;
  #document: DocumentName | undefined;
  #events = 0;
  #bytes = 0;

  constructor(heat: HeatCounter) {
    this.#heat = heat;
  }

  /** A watcher of a document was given something. */
  add(document: DocumentName, events: number, bytes: number): void {
    if (document !== this.#document) this.flush();
    this.#document = document;
    this.#events += events;
    this.#bytes += bytes;
  }

  /** Has all that was added counted. */
  flush(): void {
    if (this.#document !== undefined && this.#events > 0) {
      this.#heat.delivered(this.#document, this.#events, this.#bytes);
    }
    this.#document = undefined;
    this.#events = 0;
    this.#bytes = 0;
  }
}
