// Takes a group's rows from the leader, under a generation of its own beside the one in use. Nothing of it
// counts until Raft takes the snapshot and one batch switches over (docs/raft.md, pitfall 24); what an attempt that
// failed leaves behind is never read, and removed.

import type { SnapshotMessage } from 'raft-ts';
import {
  type BulkFrame,
  encodeBulkFrame,
  type FrameHeader,
  type SnapshotEnd,
} from '../peers/frame.js';
import type { DiskOperation, NodeId } from '../ports.js';
import { rowKey } from '../storage/keys.js';

/** What a receiver needs of its group and node. */
export interface ReceiverHost {
  readonly group: number;
  readonly header: FrameHeader;
  nowMs(): number;
  send(to: NodeId, frame: Uint8Array): void;
  write(operations: readonly DiskOperation[], done: () => void): void;
  random(): number;
  /** An attempt begins; gives it a generation that was never used in this group. */
  begin(message: SnapshotMessage): number;
  /** Every row is on disk: Raft is to decide. */
  complete(received: ReceivedSnapshot): void;
  /** The rows of a generation will never be used, and none is written any more. */
  discard(generation: number): void;
}

/** A snapshot whose rows are on disk. */
export interface ReceivedSnapshot {
  readonly message: SnapshotMessage;
  readonly end: SnapshotEnd;
  readonly generation: number;
  /** How many chunks it came in. */
  readonly chunks: number;
}

interface Attempt {
  readonly message: SnapshotMessage;
  readonly transfer: number;
  readonly generation: number;
  after: Uint8Array;
  chunks: number;
  writing: boolean;
  askedMs: number;
  retries: number;
}

type Chunk = Extract<BulkFrame, { kind: 'chunk' }>;

const RETRY_MS = 1000;
const RETRIES_MAX = 3;
const NOTHING = new Uint8Array(0);

export class SnapshotReceiver {
  readonly #host: ReceiverHost;
  #attempt: Attempt | undefined;

  constructor(host: ReceiverHost) {
    this.#host = host;
  }

  /** Whether none is being received. */
  get idle(): boolean {
    return this.#attempt === undefined;
  }

  /** The leader has a snapshot for this node. One that is being received already goes on. */
  offered(message: SnapshotMessage): void {
    const attempt = this.#attempt;
    if (attempt?.message.from === message.from && attempt.message.term === message.term) return;
    this.#giveUp();
    this.#attempt = {
      message,
      transfer: this.#host.random(),
      generation: this.#host.begin(message),
      after: NOTHING,
      chunks: 0,
      writing: false,
      askedMs: 0,
      retries: 0,
    };
    this.#ask(this.#attempt);
  }

  chunk(from: NodeId, frame: Chunk): void {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.writing) return;
    const isNext =
      attempt.message.from === from &&
      attempt.transfer === frame.transfer &&
      equalBytes(attempt.after, frame.after);
    if (!isNext) return;
    attempt.writing = true;
    this.#host.write(this.#operations(attempt, frame.rows), () => this.#written(attempt, frame));
  }

  /** Asks again for what does not come; after a few times in vain it waits for another offer. */
  tick(nowMs: number): void {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.writing || nowMs - attempt.askedMs < RETRY_MS) return;
    attempt.retries++;
    if (attempt.retries > RETRIES_MAX) this.#giveUp();
    else this.#ask(attempt);
  }

  #giveUp(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (attempt !== undefined && !attempt.writing) this.#host.discard(attempt.generation);
  }

  #ask(attempt: Attempt): void {
    const { group, header } = this.#host;
    const { transfer, after, message } = attempt;
    attempt.askedMs = this.#host.nowMs();
    const frame = encodeBulkFrame({ ...header, kind: 'pull', group, transfer, after });
    this.#host.send(message.from, frame);
  }

  #operations({ generation }: Attempt, rows: readonly Uint8Array[]): DiskOperation[] {
    const { group } = this.#host;
    const operations: DiskOperation[] = [];
    for (let at = 0; at < rows.length; at += 2) {
      const key = rowKey(group, generation, rows[at]!);
      operations.push({ kind: 'put', key, value: rows[at + 1]! });
    }
    return operations;
  }

  #written(attempt: Attempt, { rows, end }: Chunk): void {
    attempt.writing = false;
    attempt.retries = 0;
    attempt.chunks++;
    if (this.#attempt !== attempt) {
      this.#host.discard(attempt.generation); // Given up while it was being written.
    } else if (end !== undefined) {
      this.#attempt = undefined;
      const { message, generation, chunks } = attempt;
      this.#host.complete({ message, end, generation, chunks });
    } else {
      attempt.after = rows.at(-2)!.slice();
      this.#ask(attempt);
    }
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
