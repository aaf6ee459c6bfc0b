// Reads of documents in every mode (DESIGN.md section 6), on any copy: linearizable reads wait until a quorum
// has confirmed how far this copy must be; reads at least at a seq wait for it; stale ones take what is here.

import type { Limits } from '@deltabase/base';
import {
  applyPatch,
  bytesOf,
  canonicalBytes,
  getAt,
  hashText,
  parsePatch,
  type Version,
} from '@deltabase/delta';
import type { LocalDocument } from '../documents/local-document.js';
import { recordOf } from '../documents/local-document.js';
import { loadDocument } from '../documents/stored-document.js';
import type { Group } from '../groups/group.js';
import type { DiskReader } from '../ports.js';
import { type Failure, failure } from '../results.js';
import type { Task } from '../task.js';

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

interface SeqWaiter {
  readonly local: LocalDocument;
  readonly seq: number;
  readonly expiresMs: number;
  readonly done: (reached: boolean) => void;
}

export interface ReadsHost {
  readonly disk: DiskReader;
  readonly limits: Limits;
  run<T>(task: Task<T>, finished: (value: T) => void): void;
}

export class Reads {
  readonly #host: ReadsHost;
  #waiters: SeqWaiter[] = [];
  #pending = 0;

  constructor(host: ReadsHost) {
    this.#host = host;
  }

  read(group: Group, request: ReadRequest, answer: (result: ReadResult) => void): void {
    if (this.#pending >= this.#host.limits.readQueueMax) {
      answer(failure('OVERLOADED', 'too many reads wait: read at another node, or slower'));
      return;
    }
    this.#pending++;
    const finish = (result: ReadResult): void => {
      this.#pending--;
      answer(result);
    };
    if (request.mode.kind === 'linearizable') {
      group.confirm(request.expiresMs, (reached) => {
        if (reached) this.#readHere(group, request, finish);
        else finish(notConfirmed());
      });
    } else {
      this.#readHere(group, request, finish);
    }
  }

  /** Deltas were applied to `local`. */
  changed(local: LocalDocument): void {
    if (this.#waiters.length === 0) return;
    this.#settle((waiter) => waiter.local === local && local.seq >= waiter.seq, true);
  }

  tick(nowMs: number): void {
    this.#settle((waiter) => waiter.expiresMs <= nowMs, false);
  }

  #readHere(group: Group, request: ReadRequest, answer: (result: ReadResult) => void): void {
    const { documents } = group;
    const local = documents.open(request.space, request.key);
    documents.load(local, () => {
      const { mode } = request;
      if (mode.kind === 'atLeast' && local.seq < mode.seq) {
        this.#awaitSeq(local, mode.seq, request, answer);
      } else {
        this.#readFrom(local, request, answer);
      }
    });
  }

  /** A document that is waited for stays in memory. */
  #awaitSeq(
    local: LocalDocument,
    seq: number,
    request: ReadRequest,
    answer: (result: ReadResult) => void,
  ): void {
    local.watches++;
    const done = (reached: boolean): void => {
      local.watches--;
      if (reached) this.#readFrom(local, request, answer);
      else answer(failure('DEADLINE_EXCEEDED', `seq ${seq} has not reached this node in time`));
    };
    this.#waiters.push({ local, seq, expiresMs: request.expiresMs, done });
  }

  #readFrom(
    local: LocalDocument,
    request: ReadRequest,
    answer: (result: ReadResult) => void,
  ): void {
    const { committed } = local.document!;
    const { atSeq } = request;
    if (atSeq === undefined || atSeq === committed.seq) {
      answer(this.#valueOf(committed, request));
    } else if (atSeq > committed.seq || atSeq < 1) {
      answer(noSuchSeq(atSeq, committed.seq));
    } else {
      this.#host.run(this.#loadAt(local, atSeq), (version) => {
        answer(this.#valueOf(version, request));
      });
    }
  }

  /** What is on disk of it, and what is not yet. */
  *#loadAt(local: LocalDocument, seq: number): Task<Version> {
    const tail = local.tail.filter((delta) => delta.seq <= seq);
    const stored = yield* loadDocument(this.#host.disk, local.prefix, seq);
    let version: Version = stored ?? { seq: 0, root: null };
    for (const delta of tail) {
      if (delta.seq !== version.seq + 1) continue;
      const root = applyPatch(version.root, parsePatch(recordOf(delta).patch));
      version = { seq: delta.seq, root };
    }
    return version;
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
      const why = `the value has ${bytes} bytes, a read gives ${readBytesMax}: read a part of it by a \
pointer, or watch the document`;
      return failure('OUTPUT_TOO_LARGE', why, { bytes });
    }
    return { kind: 'value', seq, hash: hashText(root), value: canonicalBytes(value) };
  }

  #settle(is: (waiter: SeqWaiter) => boolean, reached: boolean): void {
    const settled = this.#waiters.filter(is);
    if (settled.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !is(waiter));
    for (const { done } of settled) done(reached);
  }
}

function notConfirmed(): Failure {
  return failure('UNAVAILABLE', 'no leader confirmed the read in time: try again');
}

function noSuchSeq(asked: number, seq: number): Failure {
  return failure('INVALID_ARGUMENT', `there is no seq ${asked}: the document is at ${seq}`, {
    seq,
  });
}

function quote(pointer: string): string {
  return JSON.stringify(pointer.slice(0, 200));
}
