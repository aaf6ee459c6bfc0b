// Reads of documents in every mode (DESIGN.md section 6), on any copy: linearizable reads wait until a quorum
// has confirmed how far this copy must be; reads at least at a seq wait for it; stale ones take what is here.
// What is ready is answered at the end of the turn, as much of it as a turn may.

import { DeltabaseError, exceedsUtf8, type Limits } from '@deltabase/base';
import {
  bytesOf,
  canonicalBytes,
  getAt,
  hashText,
  parsePointer,
  type Version,
} from '@deltabase/delta';
import { countProblem } from '../check-message.js';
import type { Expiring } from '../expiring.js';
import { Fifo } from '../fifo.js';
import type { HeatCounter } from '../heat/heat.js';
import type { Shedding } from '../heat/shedding.js';
import { OpenRequests } from '../open-requests.js';
import { type Failure, failure, failureOf, overloaded } from '../results.js';
import { absence, type DocumentSource, type StreamedDocument } from './document-source.js';
import { SeqWaiters } from './seq-waiters.js';

/** How fresh the copy must be. */
export type ReadMode =
  | { readonly kind: 'linearizable' }
  | { readonly kind: 'atLeast'; readonly seq: number }
  /** Whatever is here; with `withinMs` (from 0) at most so old, measured against the leader. */
  | { readonly kind: 'stale'; readonly withinMs?: number };

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
  /**
   * At most so many ms before the answer, everything that was committed is in it: measured. `undefined`: not
   * known, as for a read at an earlier seq, and where nothing was asked of the leader since this process started.
   */
  readonly stalenessMs: number | undefined;
}

export type ReadResult = ReadValue | Failure;

/** A read that was asked for. */
export interface OpenRead {
  /** Nobody waits for it any more: it is not answered, unless it was. */
  cancel(): void;
}

export interface ReadsHost {
  readonly limits: Limits;
  /** Told of reads of what is here: only these can go to another copy. */
  readonly heat: HeatCounter;
  readonly shedding: Pick<Shedding, 'refusal'>;
  nowMs(): number;
  /** Asks for another turn. */
  wake(): void;
}

/** A read from its request to its answer. */
interface Read {
  readonly source: DocumentSource;
  readonly request: ReadRequest;
  readonly answer: (result: ReadResult) => void;
  /** What it waits for, if that is a word of the leader or a seq. */
  waitsFor: Expiring | undefined;
}

/** Bytes of values given in a turn: some milliseconds; and what a read costs beside them. */
const TURN_BYTES = 512 * 1024;
const READ_BYTES = 2048;

export class Reads {
  readonly #host: ReadsHost;
  readonly #waiters = new SeqWaiters();
  /** Reads that are to be answered from what is here. */
  readonly #ready = new Fifo<Read>();
  /** Reads that wait for their document to come into memory. */
  readonly #loading = new Set<Read>();
  readonly #open = new OpenRequests();
  /** Cancelled reads that something still holds until it has an answer for them. */
  readonly #held = new Set<Read>();
  #draining = false;

  constructor(host: ReadsHost) {
    this.#host = host;
  }

  /** Reads that take room: they are not answered, or cancelled and not let go yet. */
  get openCount(): number {
    return this.#open.count + this.#held.size;
  }

  /** Whether every read is answered. */
  get idle(): boolean {
    return this.#open.count === 0;
  }

  /** No further read is taken: this node is about to stop. */
  drain(): void {
    this.#draining = true;
  }

  /** Begins a read; a failure: it cannot begin. */
  begin(
    source: DocumentSource,
    request: ReadRequest,
    answer: (result: ReadResult) => void,
  ): OpenRead | Failure {
    const refusal = this.#refusal(request) ?? source.refusal();
    if (refusal !== undefined) return refusal;
    const read: Read = { source, request, answer: this.#open.add(answer), waitsFor: undefined };
    if (this.#mustConfirm(read)) {
      read.waitsFor = source.confirm(request.expiresMs, (reached) => {
        if (this.#letGo(read)) return;
        if (reached) this.#load(read);
        else read.answer(notConfirmed());
      });
    } else {
      this.#load(read);
    }
    return { cancel: () => this.#cancel(read) };
  }

  /** Deltas were applied to `local`. */
  changed(local: StreamedDocument): void {
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
  replaced(before: readonly StreamedDocument[]): void {
    for (const local of before) this.#waiters.replaced(local);
  }

  /** Nothing more comes of any document, for now: whoever waits for a seq is told why. */
  cutOff(why: Failure): void {
    this.#waiters.fail(why);
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
    this.#held.clear();
    this.#loading.clear();
    this.#ready.drain();
  }

  /** What holds the read has to hold it until it calls: only then the room is free. */
  #cancel(read: Read): void {
    if (!this.#open.has(read.answer)) return;
    this.#open.drop(read.answer);
    this.#held.add(read);
    if (read.waitsFor !== undefined) read.waitsFor.expiresMs = Number.NEGATIVE_INFINITY;
  }

  /** What held the read has called. Whether it was cancelled: nothing is to be done for it. */
  #letGo(read: Read): boolean {
    return this.#held.delete(read);
  }

  #refusal({ pointer, mode, atSeq }: ReadRequest): Failure | undefined {
    const { readQueueMax, pointerBytesMax } = this.#host.limits;
    if (this.#draining) return failure('UNAVAILABLE', 'this node is stopping: read at another one');
    if (this.openCount >= readQueueMax) {
      return overloaded('too many reads wait: read at another node, or slower');
    }
    if (exceedsUtf8(pointer, pointerBytesMax)) {
      return failure('INVALID_ARGUMENT', `the pointer is longer than ${pointerBytesMax} bytes`);
    }
    return (
      this.#host.shedding.refusal(mode.kind === 'stale' ? 'stale read' : 'read') ??
      pointerProblem(pointer) ??
      (mode.kind === 'atLeast' ? countProblem('seq', mode.seq, 0) : undefined) ??
      (mode.kind === 'stale' && mode.withinMs !== undefined
        ? countProblem('withinMs', mode.withinMs, 0)
        : undefined) ??
      (atSeq === undefined ? undefined : countProblem('atSeq', atSeq, 1))
    );
  }

  /** Whether the leader must be asked how far this copy has to be. */
  #mustConfirm({ source, request: { mode } }: Read): boolean {
    if (mode.kind === 'linearizable') return true;
    if (mode.kind === 'atLeast' || mode.withinMs === undefined) return false;
    return this.#host.nowMs() - source.freshMs > mode.withinMs;
  }

  /** Has the read answered once the state is in memory. */
  #load(read: Read): void {
    read.waitsFor = undefined;
    this.#loading.add(read);
    read.source.load((loaded) => {
      const isWanted = this.#loading.delete(read);
      if (this.#letGo(read) || !isWanted || loaded === undefined) return;
      if ('code' in loaded) {
        read.answer(loaded);
        return;
      }
      this.#ready.push(read);
      this.#host.wake();
    });
  }

  /** Answers, or goes on to what it has to wait for. Returns what it cost, in bytes. */
  #give(read: Read): number {
    const { source, request, answer } = read;
    if (this.#letGo(read)) return 0;
    const { mode, atSeq } = request;
    const local = source.find();
    if (local?.document === undefined) {
      this.#load(read); // It has left memory in the meantime.
    } else if (mode.kind === 'atLeast' && local.seq < mode.seq) {
      this.#awaitSeq(local, mode.seq, read);
    } else if (atSeq === undefined || atSeq === local.seq) {
      const result = this.#valueOf(local.document.committed, read, source.freshMs);
      answer(result);
      const bytes = result.kind === 'value' ? result.value.length : 0;
      if (local.seq > 0) this.#host.heat.read(local, bytes);
      return READ_BYTES + bytes;
    } else if (atSeq > local.seq) {
      answer(local.seq === 0 ? absence(source) : noSuchSeq(atSeq, local.seq));
    } else {
      source.versionAt(atSeq, (version) => {
        if (this.#letGo(read)) return;
        answer('code' in version ? version : this.#valueOf(version, read, undefined));
      });
    }
    return READ_BYTES;
  }

  #awaitSeq(local: StreamedDocument, seq: number, read: Read): void {
    const { expiresMs } = read.request;
    read.waitsFor = this.#waiters.add(local, { seq, expiresMs }, (outcome) => {
      if (this.#letGo(read)) return;
      if (typeof outcome !== 'string') read.answer(outcome);
      else if (outcome === 'expired') read.answer(tooLate(seq));
      else this.#load(read);
    });
  }

  #valueOf(
    { seq, root }: Version,
    { source, request: { space, key, pointer } }: Read,
    freshMs: number | undefined,
  ): ReadResult {
    if (seq === 0) return absence(source);
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
    const hash = hashText(root);
    const stalenessMs = this.#stalenessOf(freshMs);
    return { kind: 'value', seq, hash, value: canonicalBytes(value), stalenessMs };
  }

  #stalenessOf(freshMs: number | undefined): number | undefined {
    if (freshMs === undefined || freshMs === Number.NEGATIVE_INFINITY) return undefined;
    return Math.max(0, this.#host.nowMs() - freshMs);
  }
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

function notConfirmed(): Failure {
  return failure('UNAVAILABLE', 'no leader confirmed the read in time: try again');
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
