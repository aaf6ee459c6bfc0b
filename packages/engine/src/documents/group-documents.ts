// The documents of one group on this node: which are in memory, what of them is not on disk yet, and how the
// one becomes the other. Documents load when something needs their state and leave memory when nothing has
// for a while; those without a tail, a watch or a state cost nothing.

import { assert, type Limits } from '@deltabase/base';
import { bytesOf, Document, encodePiece, hashText, pieces, type Version } from '@deltabase/delta';
import type { DeltaRecord } from '@deltabase/machine';
import type { DiskOperation, DiskReader } from '../ports.js';
import { chunkKey, documentPrefix, pieceKey } from '../storage/keys.js';
import type { Task } from '../task.js';
import { foldInto, LocalDocument, recordOf, type TailDelta } from './local-document.js';
import { encodeChunk, encodeSnapshotPiece, loadDocument } from './stored-document.js';

/** What the documents of a group need of their node. */
export interface DocumentsHost {
  readonly disk: DiskReader;
  readonly limits: Limits;
  nowMs(): number;
  /** Runs a task in the node's turns; what it throws is fatal. */
  run<T>(task: Task<T>, finished: (value: T) => void): void;
  /** Has `operations` written together, after all that was asked for before; `done` when durable. */
  write(operations: readonly DiskOperation[], done: () => void): void;
}

/** A delta was applied to a document in memory or on disk. */
export type AppliedListener = (document: LocalDocument, delta: TailDelta) => void;

export class GroupDocuments {
  readonly #host: DocumentsHost;
  readonly #group: number;
  readonly #generation: number;
  readonly #documents = new Map<string, LocalDocument>();
  readonly #dirty = new Set<LocalDocument>();
  #unflushedBytes = 0;
  #residentCount = 0;
  /** Set when the group's rows were replaced: whatever is still under way must not touch anything. */
  #closed = false;

  constructor(host: DocumentsHost, group: number, generation: number) {
    this.#host = host;
    this.#group = group;
    this.#generation = generation;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Bytes of applied deltas that were not yet given to be written. */
  get unflushedBytes(): number {
    return this.#unflushedBytes;
  }

  /** Documents whose state is in memory. */
  get residentCount(): number {
    return this.#residentCount;
  }

  /** Documents this node knows anything of in memory. */
  get size(): number {
    return this.#documents.size;
  }

  /** The document as this node holds it, made if need be. */
  open(space: string, key: string): LocalDocument {
    const name = `${space}/${key}`;
    const known = this.#documents.get(name);
    if (known !== undefined) return known;
    const prefix = documentPrefix(this.#group, this.#generation, space, key);
    const document = new LocalDocument(space, key, prefix);
    this.#documents.set(name, document);
    return document;
  }

  /** The document if it is held in memory in any form. */
  find(space: string, key: string): LocalDocument | undefined {
    return this.#documents.get(`${space}/${key}`);
  }

  /** Every document held in memory in any form. */
  all(): Iterable<LocalDocument> {
    return this.#documents.values();
  }

  /** Applies a committed delta; `undefined` if it was applied already. */
  apply(local: LocalDocument, record: DeltaRecord, bytes: Uint8Array): TailDelta | undefined {
    const delta = local.apply(record, bytes);
    if (delta === undefined) return undefined;
    this.#dirty.add(local);
    this.#unflushedBytes += bytes.length;
    return delta;
  }

  /** Calls `then` once the document's state is in memory: at once if it is. */
  load(local: LocalDocument, then: () => void): void {
    local.usedMs = this.#host.nowMs();
    if (local.document !== undefined) {
      then();
    } else if (local.loading !== undefined) {
      local.loading.push(then);
    } else {
      local.loading = [then];
      this.#host.run(loadDocument(this.#host.disk, local.prefix), (loaded) => {
        if (!this.#closed) this.#loaded(local, loaded);
      });
    }
  }

  /**
   * The operations that bring to disk all that is applied; `durable` is to be called when they are. Large
   * snapshots follow by themselves, in batches of their own.
   */
  flush(): { operations: DiskOperation[]; durable: () => void } {
    const operations: DiskOperation[] = [];
    const flushed: Array<{ local: LocalDocument; seq: number }> = [];
    for (const local of this.#dirty) {
      const deltas = local.tail.filter(({ seq }) => seq > local.submittedSeq);
      if (deltas.length === 0) continue;
      for (const chunk of splitByBytes(deltas, this.#host.limits.chunkBytesMax)) {
        const key = chunkKey(local.prefix, chunk[0]!.seq);
        operations.push({ kind: 'put', key, value: encodeChunk(chunk) });
      }
      local.submittedSeq = deltas.at(-1)!.seq;
      flushed.push({ local, seq: local.submittedSeq });
      if (local.snapshotDue) this.#beginSnapshot(local, operations);
    }
    this.#dirty.clear();
    this.#unflushedBytes = 0;
    return { operations, durable: () => this.#flushed(flushed) };
  }

  /** Lets go of documents that nothing has used since `beforeMs`. Returns the bytes still in memory. */
  evict(beforeMs: number): number {
    let bytes = 0;
    for (const [name, local] of this.#documents) {
      if (local.isIdle && local.usedMs < beforeMs) {
        if (local.document !== undefined) this.#residentCount--;
        this.#documents.delete(name);
      } else if (local.document !== undefined) {
        bytes += bytesOf(local.document.committed.root);
      }
    }
    return bytes;
  }

  /** Nothing of these documents is to be used or written any more: others take their place. */
  close(): void {
    this.#closed = true;
    this.#documents.clear();
    this.#dirty.clear();
  }

  #loaded(
    local: LocalDocument,
    loaded: (Version & { bytesSinceSnapshot: number }) | undefined,
  ): void {
    const waiting = local.loading;
    assert(waiting !== undefined && local.document === undefined, 'a load ends once');
    const document = new Document(loaded ?? { seq: 0, root: null });
    local.bytesSinceSnapshot = loaded?.bytesSinceSnapshot ?? 0;
    for (const delta of local.tail) {
      if (delta.seq <= document.committed.seq) continue;
      foldInto(document, recordOf(delta));
      local.bytesSinceSnapshot += delta.bytes.length;
    }
    local.document = document;
    local.loading = undefined;
    local.trimTail(local.durableSeq);
    this.#residentCount++;
    for (const then of waiting) then();
  }

  #flushed(flushed: ReadonlyArray<{ local: LocalDocument; seq: number }>): void {
    if (this.#closed) return;
    for (const { local, seq } of flushed) {
      local.durableSeq = seq;
      local.trimTail(seq);
      if (local.document === undefined && local.isIdle) {
        this.#documents.delete(`${local.space}/${local.key}`);
      }
    }
  }

  /** A snapshot of what is committed now: with the chunk if it is small, else in batches that follow. */
  #beginSnapshot(local: LocalDocument, operations: DiskOperation[]): void {
    local.snapshotDue = false;
    if (local.document === undefined) {
      this.load(local, () => this.#writeSnapshot(local, local.document!.committed));
      return;
    }
    const version = local.document.committed;
    local.bytesSinceSnapshot = 0;
    if (bytesOf(version.root) > this.#host.limits.pieceBytesMax) {
      this.#writeSnapshot(local, version);
      return;
    }
    for (const operation of this.#pieceOperations(local, version)) operations.push(operation);
  }

  #writeSnapshot(local: LocalDocument, version: Version): void {
    local.bytesSinceSnapshot = 0;
    const operations = this.#pieceOperations(local, version);
    const writeNext = (): void => {
      if (this.#closed) return;
      const batch = takeBatch(operations, this.#host.limits.snapshotChunkBytesMax);
      if (batch.length > 0) this.#host.write(batch, writeNext);
    };
    writeNext();
  }

  *#pieceOperations(
    local: LocalDocument,
    version: Version,
  ): Generator<Extract<DiskOperation, { kind: 'put' }>, void, void> {
    const all = pieces(version.root, this.#host.limits.pieceBytesMax);
    let next = all.next();
    for (let number = 0; !next.done; number++) {
      const piece = encodePiece(next.value);
      next = all.next();
      const hash = next.done ? hashText(version.root) : undefined;
      const key = pieceKey(local.prefix, version.seq, number);
      yield { kind: 'put', key, value: encodeSnapshotPiece(piece, hash) };
    }
  }
}

function takeBatch(
  operations: Generator<Extract<DiskOperation, { kind: 'put' }>, void, void>,
  bytesMax: number,
): DiskOperation[] {
  const batch: DiskOperation[] = [];
  for (let bytes = 0; bytes < bytesMax; ) {
    const next = operations.next();
    if (next.done) break;
    batch.push(next.value);
    bytes += next.value.value.length;
  }
  return batch;
}

/** Runs of deltas of about `bytesMax` each. */
function splitByBytes(deltas: readonly TailDelta[], bytesMax: number): TailDelta[][] {
  const runs: TailDelta[][] = [];
  let bytes = bytesMax;
  for (const delta of deltas) {
    if (bytes >= bytesMax) {
      runs.push([]);
      bytes = 0;
    }
    runs.at(-1)!.push(delta);
    bytes += delta.bytes.length;
  }
  return runs;
}
