// The copies that watches of one stream are to be told of. Of a document it remembers the newest hint only, until that leaves:
// a stream that is not read for long costs no more for it.

import { type DocumentName, documentId } from '@deltabase/engine';
import { type CopyHints, encodeHint } from './copy-hints.js';

/** A hint, and the watches that have not been told of it. */
export interface CopiesNews {
  readonly ids: readonly number[];
  /** The bytes of `WatchResponse.copies`. */
  readonly hint: Buffer;
}

interface Watched {
  readonly document: string;
  readonly ids: Set<number>;
  /** Those of them that are to be told of `hint`. */
  readonly untold: Set<number>;
  hint: Buffer | undefined;
  stop: () => void;
}

export class WatchedCopies {
  readonly #hints: Pick<CopyHints, 'of' | 'follow'>;
  readonly #changed: () => void;
  readonly #byDocument = new Map<string, Watched>();
  readonly #byId = new Map<number, Watched>();
  /** Documents of which there is something to tell. */
  readonly #news = new Set<Watched>();
  /** For watches that ended as they began. */
  #last: CopiesNews[] = [];

  /** `changed` is called when a document has other copies than before. */
  constructor(hints: Pick<CopyHints, 'of' | 'follow'>, changed: () => void) {
    this.#hints = hints;
    this.#changed = changed;
  }

  /** Whether there is something to tell. */
  get hasNews(): boolean {
    return this.#news.size + this.#last.length > 0;
  }

  /** Watch `id` has begun. */
  add(id: number, name: DocumentName): void {
    const watched = this.#byDocument.get(documentId(name)) ?? this.#follow(name);
    watched.ids.add(id);
    this.#byId.set(id, watched);
    const copies = this.#hints.of(name);
    if (copies.length === 0) return;
    watched.hint = encodeHint(copies);
    watched.untold.add(id);
    this.#news.add(watched);
  }

  /** Watch `id` ended as it began: it is told once. */
  tell(id: number, name: DocumentName): void {
    const copies = this.#hints.of(name);
    if (copies.length > 0) this.#last.push({ ids: [id], hint: encodeHint(copies) });
  }

  /** Watch `id` has ended; others, and those that are not known, are as they were. */
  remove(id: number): void {
    const watched = this.#byId.get(id);
    if (watched === undefined) return;
    this.#byId.delete(id);
    watched.ids.delete(id);
    watched.untold.delete(id);
    if (watched.untold.size === 0) this.#news.delete(watched);
    if (watched.ids.size > 0) return;
    watched.stop();
    this.#byDocument.delete(watched.document);
  }

  /** What is to be told; it is taken for told. */
  takeNews(): readonly CopiesNews[] {
    const news = this.#last;
    this.#last = [];
    for (const { untold, hint } of this.#news) {
      news.push({ ids: [...untold], hint: hint! });
      untold.clear();
    }
    this.#news.clear();
    return news;
  }

  /** The stream has ended. */
  end(): void {
    for (const id of [...this.#byId.keys()]) this.remove(id);
    this.#last = [];
  }

  #follow(name: DocumentName): Watched {
    const document = documentId(name);
    const watched: Watched = {
      ...{ document, ids: new Set<number>(), untold: new Set<number>(), hint: undefined },
      stop: () => {},
    };
    watched.stop = this.#hints.follow(name, (hint) => {
      watched.hint = hint;
      for (const id of watched.ids) watched.untold.add(id);
      this.#news.add(watched);
      this.#changed();
    });
    this.#byDocument.set(document, watched);
    return watched;
  }
}
