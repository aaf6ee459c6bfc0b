// Values by the name of a document. Two steps, so that looking one up makes no string.

import type { DocumentName } from './document-name.js';

export class DocumentMap<T> {
  readonly #bySpace = new Map<string, Map<string, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get({ space, key }: DocumentName): T | undefined {
    return this.#bySpace.get(space)?.get(key);
  }

  set({ space, key }: DocumentName, value: T): void {
    let ofSpace = this.#bySpace.get(space);
    if (ofSpace === undefined) {
      ofSpace = new Map();
      this.#bySpace.set(space, ofSpace);
    }
    const before = ofSpace.size;
    ofSpace.set(key, value);
    this.#size += ofSpace.size - before;
  }

  /** Whether there was one. */
  delete({ space, key }: DocumentName): boolean {
    const ofSpace = this.#bySpace.get(space);
    if (ofSpace === undefined || !ofSpace.delete(key)) return false;
    if (ofSpace.size === 0) this.#bySpace.delete(space);
    this.#size--;
    return true;
  }

  /** All of them, in no order that means anything; entries may be deleted on the way. */
  *entries(): Generator<readonly [DocumentName, T], void, void> {
    for (const [space, ofSpace] of this.#bySpace) {
      for (const [key, value] of ofSpace) yield [{ space, key }, value];
    }
  }

  *values(): Generator<T, void, void> {
    for (const ofSpace of this.#bySpace.values()) yield* ofSpace.values();
  }
}
