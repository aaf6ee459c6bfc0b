// Reads of documents in every mode (DESIGN.md section 6), on any copy: linearizable reads wait until a quorum
// has confirmed how far this copy must be; reads at least at a seq wait for it; stale ones take what is here.
// What is ready is answered at the end of the turn, as much of it as a turn may.

import { DeltabaseError, exceedsUtf8, type Limits } from '@deltabase/base';
import {
  applyPatch,
  bytesOf,
  canonicalBytes,
  getAt,
  hashText,
  parsePatch,
  parsePointer,
  type Version,
} from '@deltabase/delta';
import { countProblem } from '../check-message.js';
import { COMMITTED, type LocalDocument } from '../documents/local-document.js';
import { loadDocument } from '../documents/stored-document.js';
import { recordOf } from '../documents/tail.js';
import { Fifo } from '../fifo.js';
import type { Group } from '../groups/group.js';
import { OpenRequests } from '../open-requests.js';
import type { DiskReader } from '../ports.js';
import { type Failure, failure, failureOf, overloaded } from '../results.js';
import type { Task } from '../task.js';
import { SeqWaiters } from './seq-waiters.js';

/** How fresh the copy must be. */
export type ReadMode =
  | { readonly kind: 'linearizable' }
  | { readonly kind: 'atLeast'; readonly seq: number }
  | { readonly kind: 'stale' };

export interface ReadRequest {
  readonly space: string;
  readonly key: string;
  /** RFC 6901; empty for the whole document. */
  readonly pointer: string;
  readonly mode: ReadMode;
  /** If set, the document as it was at this seq. */
  readonly atSeq: number | undefined;
  /** Until when an answer is of use, by the monotonic clock, ms. */
  readonly expiresMs: number;
}

export interface ReadValue {
  readonly kind: 'value';
  readonly seq: number;
  /** The rolling hash of the whole document at that seq. */
  readonly hash: string;
  /** Canonical JSON. */
  readonly value: Uint8Array;
}

export type ReadResult = ReadValue | Failure;

export interface ReadsHost {
  readonly disk: DiskReader;
  readonly limits: Limits;
  /** Asks for another turn. */
  wake(): void;
}

/** A read from its request to its answer. */
interface Read {
  readonly group: Group;
  readonly request: ReadRequest;
  readonly answer: (result: ReadResult) => void;
}

/** Bytes of values given in a turn: some milliseconds; and what a read costs beside them. */
const TURN_BYTES = 1024 * 1024;
const READ_BYTES = 256;

export class Reads {
  readonly #host: ReadsHost;
  readonly #waiters = new SeqWaiters();
  /** Reads that are to be answered from what is here. */
  readonly #ready = new Fifo<Read>();
  /** Reads that wait for their document to come into memory. */
  readonly #loading = new Set<Read>();
  readonly #open = new OpenRequests();
  #draining = false;

  constructor(host: ReadsHost) {
    this.#host = host;
  }

  /** Reads that are not answered. */
  get openCount(): number {
    return this.#open.count;
  }

  /** Whether every read is answered. */
  get idle(): boolean {
    return this.#open.count === 0;
  }

  /** No further read is taken: this node is about to stop. */
  drain(): void {
    this.#draining = true;
  }

  read(group: Group, request: ReadRequest, answer: (result: ReadResult) => void): void {
    const refusal = this.#refusal(request) ?? memoryRefusal(group, request);
    if (refusal !== undefined) {
      answer(refusal);
      return;
    }
    const read: Read = { group, request, answer: this.#open.add(answer) };
    if (request.mode.kind === 'linearizable') {
      group.confirm(request.expiresMs, (reached) => {
        if (reached) this.#load(read);
        else read.answer(notConfirmed());
      });
    } else {
      this.#load(read);
    }
  }

  /** Deltas were applied to `local`. */
  changed(local: LocalDocument): void {
    this.#waiters.changed(local);
  }

  /** Answers what is ready, as much of it as a turn may. */
  turn(): void {
    for (let bytes = 0; this.#ready.length > 0; ) {
      if (bytes >= TURN_BYTES) {
        this.#host.wake();
        return;
      }
      bytes += this.#give(this.#ready.shift()!);
    }
  }

  /** The documents of a group were replaced by those of a snapshot: what waits for a seq looks there. */
  replaced(before: readonly LocalDocument[]): void {
    for (const local of before) this.#waiters.replaced(local);
  }

  tick(nowMs: number): void {
    this.#waiters.expire(nowMs);
    for (const read of this.#loading) {
      if (read.request.expiresMs > nowMs) continue;
      this.#loading.delete(read);
      read.answer(notLoaded());
    }
  }

  close(why: Failure): void {
    this.#open.close(why);
    this.#loading.clear();
    this.#ready.drain();
  }

  #refusal({ pointer, mode, atSeq }: ReadRequest): Failure | undefined {
    const { readQueueMax, pointerBytesMax } = this.#host.limits;
    if (this.#draining) return failure('UNAVAILABLE', 'this node is stopping: read at another one');
    if (this.#open.count >= readQueueMax) {
      return overloaded('too many reads wait: read at another node, or slower');
    }
    if (exceedsUtf8(pointer, pointerBytesMax)) {
      return failure('INVALID_ARGUMENT', `the pointer is longer than ${pointerBytesMax} bytes`);
    }
    return (
      pointerProblem(pointer) ??
      (mode.kind === 'atLeast' ? countProblem('seq', mode.seq, 0) : undefined) ??
      (atSeq === undefined ? undefined : countProblem('atSeq', atSeq, 1))
    );
  }

  /** Has the read answered once the state is in memory. */
  #load(read: Read): void {
    const { space, key } = read.request;
    this.#loading.add(read);
    read.group.load(space, key, (local) => {
      if (!this.#loading.delete(read) || local === undefined) return;
      this.#ready.push(read);
      this.#host.wake();
    });
  }

  /** Answers, or goes on to what it has to wait for. Returns what it cost, in bytes. */
  #give(read: Read): number {
    const { group, request, answer } = read;
    const { mode, atSeq, space, key } = request;
    const local = group.documents.open(space, key);
    if (local.document === undefined) {
      this.#load(read); // It has left memory in the meantime.
    } else if (mode.kind === 'atLeast' && local.seq < mode.seq) {
      this.#awaitSeq(local, mode.seq, read);
    } else if (atSeq === undefined || atSeq === local.seq) {
      const result = this.#valueOf(local.document.committed, request);
      answer(result);
      return READ_BYTES + (result.kind === 'value' ? result.value.length : 0);
    } else if (atSeq > local.seq) {
      answer(noSuchSeq(atSeq, local.seq));
    } else {
      group.documents.read(loadAt(this.#host.disk, local, atSeq), (version) => {
        answer(this.#valueOf(version, request));
      });
    }
    return READ_BYTES;
  }

  #awaitSeq(local: LocalDocument, seq: number, read: Read): void {
    const { expiresMs } = read.request;
    this.#waiters.add(local, { seq, expiresMs }, (outcome) => {
      if (outcome === 'expired') read.answer(tooLate(seq));
      else this.#load(read);
    });
  }

  #valueOf({ seq, root }: Version, { space, key, pointer }: ReadRequest): ReadResult {
    if (seq === 0) {
      const why = `${space}/${key} has had no message that changed it yet`;
      return failure('DOCUMENT_NOT_FOUND', why);
    }
    const value = getAt(root, pointer);
    if (value === undefined) {
      return failure('POINTER_NOT_FOUND', `${space}/${key} holds nothing at ${quote(pointer)}`);
    }
    const { readBytesMax } = this.#host.limits;
    const bytes = bytesOf(value);
    if (bytes > readBytesMax) {
      const why =
        `the value has ${bytes} bytes, a read gives ${readBytesMax}: read a part of it by a pointer, ` +
        'or watch the document';
      return failure('OUTPUT_TOO_LARGE', why, { bytes });
    }
    return { kind: 'value', seq, hash: hashText(root), value: canonicalBytes(value) };
  }
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

function pointerProblem(pointer: string): Failure | undefined {
  try {
    parsePointer(pointer);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return failureOf(thrown);
  }
}

function notTheFold(seq: number): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    `delta ${seq} of a document is missing or wrong (StateIsFold): replace this node by a fresh one`,
  );
}

function notConfirmed(): Failure {
  return failure('UNAVAILABLE', 'no leader confirmed the read in time: try again');
}

/** Exported for watches, which begin as reads do. */
export function memoryRefusal(
  group: Group,
  { space, key }: { readonly space: string; readonly key: string },
): Failure | undefined {
  const { documents } = group;
  if (!documents.isFull || documents.open(space, key).document !== undefined) return undefined;
  return failure(
    'OVERLOADED',
    'this node has no memory for another document now: use another node',
  );
}

function notLoaded(): Failure {
  return failure('DEADLINE_EXCEEDED', 'the document did not come into memory in time: read again');
}

function tooLate(seq: number): Failure {
  return failure('DEADLINE_EXCEEDED', `seq ${seq} has not reached this node in time`);
}

function noSuchSeq(asked: number, seq: number): Failure {
  return failure('INVALID_ARGUMENT', `there is no seq ${asked}: the document is at ${seq}`, {
    seq,
  });
}

function quote(pointer: string): string {
  return JSON.stringify(pointer.slice(0, 200));
}
