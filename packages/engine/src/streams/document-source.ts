// Where reads and watches find a document: in a group of a node (group-document.ts), or among the live copies of
// a replica (replica/copies.ts). They cannot tell which.

import type { Version } from '@deltabase/delta';
import type { DocumentObserver } from '../documents/local-document.js';
import type { TailDelta } from '../documents/tail.js';
import type { Expiring } from '../expiring.js';
import { type Failure, failure } from '../results.js';
import type { ComposeRequest, StoredComposition } from './compose-stored.js';

/** A document as this process holds it. */
export interface StreamedDocument {
  readonly space: string;
  readonly key: string;
  /** The last applied seq; 0 if that is not known, or there is none. */
  readonly seq: number;
  /** The state, while it is in memory: the newest committed one is what readers see (CommittedOnly). */
  readonly document: { readonly committed: Version } | undefined;
  /** The newest deltas, as far as they are in memory. */
  readonly tail: { find(seq: number): TailDelta | undefined };
  /** Bytes of deltas applied since it came into memory. */
  readonly appliedBytes: number;
  /** Who must be told of changes; it stays in memory while there are any. */
  watches: number;
  /** Told of each version that is committed, or of the last of several whose deltas are in the tail. */
  observer: DocumentObserver | undefined;
}

/** Deltas of consecutive seqs. */
export interface ReadDeltas {
  readonly kind: 'deltas';
  readonly deltas: readonly TailDelta[];
}

/** One document, by its name, wherever this process has it. */
export interface DocumentSource {
  readonly space: string;
  readonly key: string;
  /**
   * The latest moment, by the monotonic clock in ms, of which it is known that everything committed until then is
   * in this process's copy; `-Infinity`: none.
   */
  readonly freshMs: number;
  /** Why it cannot come into memory now, if it is not there. */
  refusal(): Failure | undefined;
  /** Calls `done` once everything is here that was committed when this was called; `false`: not by `expiresMs`. */
  confirm(expiresMs: number, done: (reached: boolean) => void): Expiring;
  /** Why there is no such document, by what is known here. */
  missing(): Failure | undefined;
  /** Calls `then` once the state is in memory, at once if it is. `undefined`: this process stops, and nobody waits. */
  load(then: (loaded: StreamedDocument | Failure | undefined) => void): void;
  /** What this process has of it. */
  find(): StreamedDocument | undefined;
  /** The state at a seq before the present one. */
  versionAt(seq: number, done: (version: Version | Failure) => void): void;
  /** Deltas that are not in memory, from `fromSeq` on, about `bytesMax` bytes of them and one at least. */
  readStored(fromSeq: number, bytesMax: number, done: (read: ReadDeltas | Failure) => void): void;
  /** Several deltas that are not in memory, in one. */
  composeStored(
    request: ComposeRequest,
    done: (composed: StoredComposition | Failure) => void,
  ): void;
}

/** Why a document of seq 0 cannot be given: nobody has made it, or nobody can. */
export function absence(source: DocumentSource): Failure {
  const { space, key } = source;
  const why = `${space}/${key} has had no message that changed it yet`;
  return source.missing() ?? failure('DOCUMENT_NOT_FOUND', why);
}
