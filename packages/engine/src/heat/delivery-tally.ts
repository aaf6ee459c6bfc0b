// Adds up what watchers are given, so that all watchers of a document that get something one after the other are
// counted at once.

import type { DocumentName } from '../documents/document-name.js';
import type { HeatCounter } from './heat.js';

export class DeliveryTally {
  readonly #heat: HeatCounter;
  #document: DocumentName | undefined;
  #events = 0;
  #bytes = 0;

  constructor(heat: HeatCounter) {
    this.#heat = heat;
  }

  /** Takes what a watcher of a document was given, once that is a whole event, and leaves nothing of it. */
  take(document: DocumentName, given: { events: number; bytes: number }): void {
    if (given.events === 0) return;
    if (document !== this.#document) this.flush();
    this.#document = document;
    this.#events += given.events;
    this.#bytes += given.bytes;
    given.events = 0;
    given.bytes = 0;
  }

  /** Has all that was added counted. */
  flush(): void {
    if (this.#document === undefined) return;
    this.#heat.delivered(this.#document, this.#events, this.#bytes);
    this.#document = undefined;
    this.#events = 0;
    this.#bytes = 0;
  }
}
