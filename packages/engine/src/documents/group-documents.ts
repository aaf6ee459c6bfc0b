// The documents of one group on this node: which are in memory, what of them is not on disk yet, and how the
// one becomes the other. Documents load when something needs their state and leave memory when nothing has
// for a while; those without a tail, a watch or a state cost nothing.

import { assert, type Limits } from '@deltabase/base';
import { bytesOf, Document, type Version } from '@deltabase/delta';
import { DeltasWriter, type RecordHead, recordLength } from '@deltabase/machine';
import type { DiskOperation, DiskReader } from '../ports.js';
import { chunkKey, documentPrefix } from '../storage/keys.js';
import type { Task } from '../task.js';
import { LocalDocument } from './local-document.js';
import type { Residency } from './residency.js';
import { SnapshotWriter } from './snapshot-writer.js';
import { type LoadedDocument, loadDocument } from './stored-document.js';

/** What the documents of a group need of their node. */
export interface DocumentsHost {
  readonly disk: DiskReader;
  readonly limits: Limits;
  readonly residency: Residency;
  nowMs(): number;
  /** Runs a task in the node's turns, when few enough others run; what it throws is fatal. */
  queue<T>(task: Task<T>, finished: (value: T) => void): void;
  /** Has `operations` written together, after all that was asked for before; `done` when durable. */
  write(operations: readonly DiskOperation[], done: () => void): void;
}

/** What a flush wrote of a document. */
interface Flushed {
  readonly local: LocalDocument;
  readonly seq: number;
  /** The state to make a snapshot of; `undefined` if it is not in memory. */
  readonly version: Version | undefined;
  readonly snapshot: boolean;
}

/** Roughly what a document in memory takes beside its state, in bytes. */
const DOCUMENT_OVERHEAD_BYTES = 512;

export class GroupDocuments {
  readonly #host: DocumentsHost;
  readonly #group: number;
  readonly #generation: number;
  /** By space and key. */
  readonly #spaces = new Map<string, Map<string, LocalDocument>>();
  #size = 0;
  #dirty: LocalDocument[] = [];
  readonly #snapshots: SnapshotWriter;
  readonly #chunkWriter = new DeltasWriter();
  #unflushedBytes = 0;
  #residentCount = 0;
  #residentBytes = 0;
  /** Tasks that read rows, and who waits for the last of them to end. */
  #reading = 0;
  #unread: (() => void) | undefined;
  /** Set when the group's rows were replaced: whatever is still under way must not touch anything. */
  #closed = false;

  constructor(host: DocumentsHost, group: number, generation: number) {
    this.#host = host;
    this.#group = group;
    this.#generation = generation;
    this.#snapshots = new SnapshotWriter({
      pieceBytesMax: host.limits.pieceBytesMax,
      batchBytesMax: host.limits.snapshotChunkBytesMax,
      write: (operations, done) => host.write(operations, done),
    });
  }

  /** Bytes of applied deltas that were not yet given to be written. */
  get unflushedBytes(): number {
    return this.#unflushedBytes;
  }

  /** Documents whose state is in memory. */
  get residentCount(): number {
    return this.#residentCount;
  }

  /** Whether too many wait to be loaded already. */
  get isFull(): boolean {
    return this.#host.residency.isFull;
  }

  /** Documents this node knows anything of in memory. */
  get size(): number {
    return this.#size;
  }

  /** The document as this node holds it, made if need be. */
  open(space: string, key: string): LocalDocument {
    let documents = this.#spaces.get(space);
    if (documents === undefined) {
      documents = new Map();
      this.#spaces.set(space, documents);
    }
    const known = documents.get(key);
    if (known !== undefined) return known;
    const prefix = documentPrefix(this.#group, this.#generation, space, key);
    const document = new LocalDocument(space, key, prefix);
    documents.set(key, document);
    this.#size++;
    return document;
  }

  /** Snapshots of documents that wait to be written. */
  get snapshotsWaiting(): number {
    return this.#snapshots.pending;
  }

  /** Every document held in memory in any form; may be walked slowly while they come and go. */
  *all(): Generator<LocalDocument, void, void> {
    for (const documents of this.#spaces.values()) yield* documents.values();
  }

  /**
   * Applies a committed delta, the record at `offset` of `entry`; `false`, and nothing done, if it was applied
   * already.
   */
  apply(local: LocalDocument, head: RecordHead, entry: Uint8Array, offset: number): boolean {
    assert(!this.#closed, 'deltas are applied to the documents in use');
    if (!local.apply(head, entry, offset)) return false;
    const { document } = local;
    if (document !== undefined) this.#account(local, residentBytesOf(document));
    if (!local.isDirty) {
      local.isDirty = true;
      this.#dirty.push(local);
    }
    this.#unflushedBytes += recordLength(entry, offset);
    return true;
  }

  /**
   * Calls `then` once the document's state is in memory: at once if it is. With `false` if these documents
   * are replaced or closed before that.
   */
  load(local: LocalDocument, then: (loaded: boolean) => void): void {
    local.usedMs = this.#host.nowMs();
    this.#load(local, then);
  }

  /** Runs a task that reads rows of these documents: they stay until it is done. */
  read<T>(task: Task<T>, finished: (value: T) => void): void {
    assert(!this.#closed, 'rows are read of the documents in use');
    this.#reading++;
    this.#host.queue(task, (value) => {
      finished(value);
      this.#reading--;
      if (this.#closed && this.#reading === 0) this.#unread?.();
    });
  }

  /**
   * The operations that bring to disk all that is applied; `durable` is to be called when they are.
   * Snapshots follow by themselves, in batches of their own.
   */
  flush(): { operations: DiskOperation[]; durable: () => void } {
    const operations: DiskOperation[] = [];
    const flushed: Flushed[] = [];
    for (const local of this.#dirty) {
      local.isDirty = false;
      const seq = local.tail.lastSeq;
      this.#addChunks(local, operations);
      local.submittedSeq = seq;
      const version = local.document?.committed;
      assert(version === undefined || version.seq === seq, 'what is applied is flushed');
      flushed.push({ local, seq, version, snapshot: local.snapshotDue });
      local.snapshotDue = false;
    }
    this.#dirty = [];
    this.#unflushedBytes = 0;
    return { operations, durable: () => this.#flushed(flushed) };
  }

  /** Adds the operations that write what is in the document's tail and not submitted. */
  #addChunks({ tail, prefix, submittedSeq }: LocalDocument, operations: DiskOperation[]): void {
    const { chunkBytesMax } = this.#host.limits;
    const { firstSeq, lastSeq } = tail;
    assert(lastSeq > submittedSeq, 'a dirty document has something to write');
    let chunkSeq = Math.max(firstSeq, submittedSeq + 1);
    for (let seq = chunkSeq; seq <= lastSeq; seq++) {
      tail.copyTo(this.#chunkWriter, seq);
      if (this.#chunkWriter.bytes < chunkBytesMax && seq < lastSeq) continue;
      const value = this.#chunkWriter.finish();
      operations.push({ kind: 'put', key: chunkKey(prefix, chunkSeq), value });
      chunkSeq = seq + 1;
    }
  }

  /** Lets go of a document that nothing has used since `beforeMs`, or that does not exist. */
  evict(local: LocalDocument, beforeMs: number): void {
    const version = local.document?.committed;
    if (local.isIdle && (local.usedMs < beforeMs || version?.seq === 0)) this.#forget(local);
  }

  /**
   * Nothing of these documents is to be used or written any more: others take their place. Calls `unread`
   * once nobody reads their rows either.
   */
  close(unread: () => void): void {
    assert(!this.#closed, 'documents are closed once');
    this.#closed = true;
    this.#snapshots.close();
    this.#dirty = [];
    const waiting = [...this.all()].flatMap((local) => local.loading ?? []);
    this.#spaces.clear();
    this.#size = 0;
    this.#host.residency.changed(-this.#residentBytes);
    this.#residentBytes = 0;
    this.#unread = unread;
    if (this.#reading === 0) unread();
    for (const then of waiting) then(false);
  }

  #load(local: LocalDocument, then: (loaded: boolean) => void): void {
    if (this.#closed) {
      then(false);
    } else if (local.document !== undefined) {
      then(true);
    } else if (local.loading !== undefined) {
      local.loading.push(then);
    } else {
      local.loading = [then];
      this.#host.residency.admit(() => this.#startLoad(local));
    }
  }

  #startLoad(local: LocalDocument): void {
    if (this.#closed) {
      this.#host.residency.loaded();
      return;
    }
    this.read(loadDocument(this.#host.disk, local.prefix), (loaded) => {
      if (!this.#closed) this.#loaded(local, loaded);
      this.#host.residency.loaded();
    });
  }

  /** Counts that a document takes so many bytes by now. */
  #account(local: LocalDocument, bytes: number): void {
    const grown = bytes - local.residentBytes;
    local.residentBytes = bytes;
    this.#residentBytes += grown;
    this.#host.residency.changed(grown);
  }

  #loaded(local: LocalDocument, loaded: LoadedDocument): void {
    const waiting = local.loading;
    assert(waiting !== undefined, 'a load ends once');
    const { seq, root, bytesSinceSnapshot } = loaded;
    local.loaded(new Document({ seq, root }), bytesSinceSnapshot);
    local.loading = undefined;
    local.trimTail(local.durableSeq);
    this.#residentCount++;
    this.#account(local, residentBytesOf(local.document!));
    for (const then of waiting) then(true);
  }

  #flushed(flushed: readonly Flushed[]): void {
    if (this.#closed) return;
    for (const { local, seq, version, snapshot } of flushed) {
      local.durableSeq = seq;
      local.trimTail(seq);
      if (snapshot) this.#beginSnapshot(local, version);
      else if (local.document === undefined && local.isIdle) this.#forget(local);
    }
  }

  /** Begins the snapshot that a delta advised, now that the history up to it is on disk. */
  #beginSnapshot(local: LocalDocument, version: Version | undefined): void {
    // Where it is not begun, the flush of the next delta tries again.
    if (this.#waitTooManySnapshots) {
      local.snapshotDue = true;
      return;
    }
    if (version !== undefined) {
      this.#snapshots.add(local.prefix, version);
      return;
    }
    this.#load(local, (loaded) => {
      if (!loaded) return;
      const { committed } = local.document!;
      // What came meanwhile is not on disk, and other documents may have been loaded for theirs as well.
      const isBegun = committed.seq === local.durableSeq && !this.#waitTooManySnapshots;
      if (isBegun) this.#snapshots.add(local.prefix, committed);
      else local.snapshotDue = true;
    });
  }

  get #waitTooManySnapshots(): boolean {
    return this.#snapshots.pending >= this.#host.limits.snapshotsWaitingMax;
  }

  #forget(local: LocalDocument): void {
    const documents = this.#spaces.get(local.space);
    assert(documents?.get(local.key) === local, 'what is forgotten was held');
    if (local.document !== undefined) this.#residentCount--;
    this.#account(local, 0);
    documents.delete(local.key);
    if (documents.size === 0) this.#spaces.delete(local.space);
    this.#size--;
  }
}

function residentBytesOf({ committed }: Document): number {
  return DOCUMENT_OVERHEAD_BYTES + bytesOf(committed.root);
}
