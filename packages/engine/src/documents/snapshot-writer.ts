// Writes snapshots of a group's documents, one after the other and a batch at a time, so that many of them, or
// a large one, hold nothing else up. A snapshot is of a version whose deltas are on disk: what is loaded from
// it never runs ahead of the history (StateIsFold).

import { encodePiece, hashText, pieces, type Version } from '@deltabase/delta';
import { Fifo } from '../fifo.js';
import type { DiskOperation } from '../ports.js';
import { pieceKey } from '../storage/keys.js';
import { encodeSnapshotPiece } from './stored-document.js';

export interface SnapshotWriterHost {
  readonly pieceBytesMax: number;
  readonly batchBytesMax: number;
  write(operations: readonly DiskOperation[], done: () => void): void;
}

type PutOperation = Extract<DiskOperation, { kind: 'put' }>;

export class SnapshotWriter {
  readonly #host: SnapshotWriterHost;
  readonly #waiting = new Fifo<{ readonly prefix: Uint8Array; readonly version: Version }>();
  #writing: Generator<PutOperation, void, void> | undefined;
  /** A batch is on its way to the disk. */
  #isBusy = false;
  #closed = false;

  constructor(host: SnapshotWriterHost) {
    this.#host = host;
  }

  /** Snapshots that are not written to their end. */
  get pending(): number {
    return this.#waiting.length + (this.#isBusy ? 1 : 0);
  }

  /** Has a snapshot of `version` written for the document whose rows begin with `prefix`. */
  add(prefix: Uint8Array, version: Version): void {
    this.#waiting.push({ prefix, version });
    if (!this.#isBusy) this.#writeNext();
  }

  /** Writes nothing more; what is not whole is never read. */
  close(): void {
    this.#closed = true;
    this.#isBusy = false;
    this.#writing = undefined;
    this.#waiting.drain();
  }

  #writeNext(): void {
    if (this.#closed) return;
    const batch = this.#takeBatch();
    this.#isBusy = batch.length > 0;
    if (this.#isBusy) this.#host.write(batch, () => this.#writeNext());
  }

  /** Operations of the snapshot being written, and of those behind it while there is room. */
  #takeBatch(): DiskOperation[] {
    const batch: DiskOperation[] = [];
    for (let bytes = 0; bytes < this.#host.batchBytesMax; ) {
      this.#writing ??= this.#begin();
      if (this.#writing === undefined) break;
      const next = this.#writing.next();
      if (next.done) {
        this.#writing = undefined;
      } else {
        batch.push(next.value);
        bytes += next.value.value.length;
      }
    }
    return batch;
  }

  #begin(): Generator<PutOperation, void, void> | undefined {
    const next = this.#waiting.shift();
    return next && pieceOperations(next.prefix, next.version, this.#host.pieceBytesMax);
  }
}

function* pieceOperations(
  prefix: Uint8Array,
  { seq, root }: Version,
  pieceBytesMax: number,
): Generator<PutOperation, void, void> {
  const all = pieces(root, pieceBytesMax);
  let next = all.next();
  for (let number = 0; !next.done; number++) {
    const piece = encodePiece(next.value);
    next = all.next();
    const hash = next.done ? hashText(root) : undefined;
    const key = pieceKey(prefix, seq, number);
    yield { kind: 'put', key, value: encodeSnapshotPiece(piece, hash) };
  }
}
