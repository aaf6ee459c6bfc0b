// A document of a group of this node, for reads and watches. A snapshot may put another copy in its place at any
// time: it is looked up by its name.

import { DeltabaseError } from '@deltabase/base';
import { applyPatch, hashText, parsePatch, type Version } from '@deltabase/delta';
import { COMMITTED, SYSTEM_SPACE } from '@deltabase/machine';
import type { DocumentName } from '../documents/document-name.js';
import type { LocalDocument } from '../documents/local-document.js';
import { loadDocument } from '../documents/stored-document.js';
import { recordOf, storedDelta, type TailDelta } from '../documents/tail.js';
import type { Expiring } from '../expiring.js';
import type { Group } from '../groups/group.js';
import type { DiskReader } from '../ports.js';
import { type Failure, failure } from '../results.js';
import type { Task } from '../task.js';
import type { ComposeRequest, StoredComposition } from './compose-stored.js';
import type { DocumentSource, ReadDeltas, StreamedDocument } from './document-source.js';
import type { StoredDeltas } from './history.js';

export class GroupDocument implements DocumentSource {
  readonly space: string;
  readonly key: string;
  readonly #group: Group;
  readonly #disk: DiskReader;

  constructor(group: Group, disk: DiskReader, { space, key }: DocumentName) {
    this.space = space;
    this.key = key;
    this.#group = group;
    this.#disk = disk;
  }

  get freshMs(): number {
    return this.#group.freshMs;
  }

  refusal(): Failure | undefined {
    if (!this.#group.documents.isFull || this.find().document !== undefined) return undefined;
    return failure(
      'OVERLOADED',
      'this node has no memory for another document now: use another node',
    );
  }

  confirm(expiresMs: number, done: (reached: boolean) => void): Expiring {
    return this.#group.confirm(expiresMs, done);
  }

  missing(): Failure | undefined {
    const { space } = this;
    if (space === SYSTEM_SPACE || this.#group.activeVersion(space) !== undefined) return undefined;
    return failure('SPACE_NOT_FOUND', `no machine is deployed as ${space}: deploy one first`);
  }

  load(then: (loaded: StreamedDocument | undefined) => void): void {
    this.#group.load(this.space, this.key, then);
  }

  find(): LocalDocument {
    return this.#group.documents.open(this.space, this.key);
  }

  versionAt(seq: number, done: (version: Version) => void): void {
    this.#group.documents.read(loadAt(this.#disk, this.find(), seq), done);
  }

  readStored(fromSeq: number, bytesMax: number, done: (read: ReadDeltas | Failure) => void): void {
    this.#group.readStored(this.find(), fromSeq, bytesMax, (stored) => {
      if (stored.kind === 'failed') done(stored);
      else done({ kind: 'deltas', deltas: deltasFrom(fromSeq, stored) });
    });
  }

  composeStored(
    request: ComposeRequest,
    done: (composed: StoredComposition | Failure) => void,
  ): void {
    this.#group.composeStored(this.find(), request, done);
  }
}

function deltasFrom(fromSeq: number, { deltas }: StoredDeltas): TailDelta[] {
  return deltas.map((bytes, offset) => storedDelta(fromSeq + offset, bytes));
}

/** The state at a seq before the present one: what is on disk of it, and what is not yet. */
function* loadAt(disk: DiskReader, local: LocalDocument, seq: number): Task<Version> {
  const tail = local.tail.between(0, seq);
  let version: Version = yield* loadDocument(disk, local.prefix, seq);
  for (const delta of tail) {
    if (delta.seq !== version.seq + 1) continue;
    const record = recordOf(delta);
    const root = applyPatch(version.root, parsePatch(record.patch, COMMITTED));
    if (hashText(root) !== record.hash) throw notTheFold(delta.seq);
    version = { seq: delta.seq, root };
  }
  if (version.seq !== seq) throw notTheFold(seq);
  return version;
}

function notTheFold(seq: number): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    `delta ${seq} of a document is missing or wrong (StateIsFold): replace this node by a fresh one`,
  );
}
