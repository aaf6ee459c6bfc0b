// Tells readers and watchers where else a document may be read: at copies that are ready. Whoever understands it goes
// there, others are served here all the same (docs/wire-formats.md, "hints").

import { type CopyDirectory, type DocumentName, documentId } from '@deltabase/engine';
import { Metadata } from '@grpc/grpc-js';
import { WireWriter } from '../wire/writer.js';

/** Told of new copies: the bytes of a `WatchResponse` that names them. */
export type HintListener = (response: Buffer) => void;

/** In the initial metadata, for clients that do not look for fields. */
const KEY = 'deltabase-copies';

const writer = new WireWriter();

export class CopyHints {
  readonly #directory: Pick<CopyDirectory, 'copiesOf'>;
  readonly #listeners = new Map<string, Set<HintListener>>();

  constructor(directory: Pick<CopyDirectory, 'copiesOf' | 'followCopies'>) {
    this.#directory = directory;
    directory.followCopies((document) => this.#changed(document));
  }

  /** host:port of the copies of a document; none if readers should stay. */
  of(document: DocumentName): readonly string[] {
    return this.#directory.copiesOf(document);
  }

  /** Calls `told` with each set of copies that a document has from now on, unless it has none. Returns how to stop it. */
  follow(document: DocumentName, told: HintListener): () => void {
    const id = documentId(document);
    let listeners = this.#listeners.get(id);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(id, listeners);
    }
    const all = listeners.add(told);
    return () => {
      all.delete(told);
      if (all.size === 0 && this.#listeners.get(id) === all) this.#listeners.delete(id);
    };
  }

  #changed(document: DocumentName): void {
    const listeners = this.#listeners.get(documentId(document));
    if (listeners === undefined) return;
    const copies = this.of(document);
    if (copies.length === 0) return;
    const response = encodeHint(copies);
    for (const told of listeners) told(response);
  }
}

/** `WatchResponse.copies`. */
export function encodeHint(copies: readonly string[]): Buffer {
  for (const address of copies) writer.text(2, address);
  return writer.finish();
}

export function hintMetadata(copies: readonly string[]): Metadata {
  const metadata = new Metadata();
  metadata.set(KEY, copies.join(','));
  return metadata;
}
