// A document of a replica, for reads and watches: its live copy, made when it is asked for.

import { DeltabaseError } from '@deltabase/base';
import type { Version } from '@deltabase/delta';
import type { DocumentName } from '../documents/document-name.js';
import type { Expiring } from '../expiring.js';
import { type Failure, failure } from '../results.js';
import type { ComposeRequest, StoredComposition } from '../streams/compose-stored.js';
import type { DocumentSource, ReadDeltas, StreamedDocument } from '../streams/document-source.js';
import type { Copies } from './copies.js';
import type { Following } from './following.js';
import type { LiveCopy } from './live-copy.js';

export class CopySource implements DocumentSource {
  readonly space: string;
  readonly key: string;
  readonly #copies: Copies;
  readonly #following: Following;
  /** Why no copy could be made when it was last tried for this source. */
  #failure: Failure | undefined;

  constructor({ space, key }: DocumentName, copies: Copies, following: Following) {
    this.space = space;
    this.key = key;
    this.#copies = copies;
    this.#following = following;
  }

  get freshMs(): number {
    return this.find()?.freshMs ?? Number.NEGATIVE_INFINITY;
  }

  refusal(): Failure | undefined {
    return this.#copies.refusal(this);
  }

  confirm(expiresMs: number, done: (reached: boolean) => void): Expiring {
    return this.#following.confirm(this.#copies.open(this), expiresMs, (outcome) => {
      // Why it cannot be had is told to whoever loads it.
      if (typeof outcome !== 'string') this.#failure = outcome;
      done(outcome !== 'late');
    });
  }

  missing(): undefined {
    return undefined;
  }

  load(then: (loaded: StreamedDocument | Failure) => void): void {
    if (this.#failure !== undefined) {
      then(this.#failure);
      return;
    }
    const copy = this.#copies.open(this);
    if (copy.document !== undefined) then(copy);
    else copy.waiting.push((why) => then(why ?? copy));
  }

  find(): LiveCopy | undefined {
    return this.#copies.find(this);
  }

  versionAt(seq: number, done: (version: Version | Failure) => void): void {
    done(failure('HISTORY_GONE', `a replica does not keep the state at seq ${seq}: ask a node`));
  }

  readStored(fromSeq: number, bytesMax: number, done: (read: ReadDeltas | Failure) => void): void {
    const copy = this.find();
    if (copy === undefined) throw new DeltabaseError('INTERNAL', 'what is watched has a copy');
    this.#following.readDeltas(copy, fromSeq, bytesMax, done);
  }

  /** To compose them they would have to come first: then the state may come at once. */
  composeStored(_request: ComposeRequest, done: (composed: StoredComposition) => void): void {
    done({ kind: 'composed', composition: undefined });
  }
}
