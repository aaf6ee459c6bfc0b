// Takes a group's rows from the leader, under a generation of its own beside the one in use. Nothing of it
// counts until Raft takes the snapshot and one batch switches over (RAFT.md pitfall 24); what an attempt that
// failed leaves behind is never read and removed later.

import { assert } from '@deltabase/base';
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
  send(to: NodeId, frame: Uint8Array): void;
  write(operations: readonly DiskOperation[], done: () => void): void;
  random(): number;
  /** A generation that was never used in this group. */
  nextGeneration(): number;
  /** Every row is on disk: Raft is to decide. */
  complete(received: ReceivedSnapshot): void;
}

/** A snapshot whose rows are on disk. */
export interface ReceivedSnapshot {
  readonly message: SnapshotMessage;
  readonly end: SnapshotEnd;
  readonly generation: number;
}

interface Attempt {
  readonly message: SnapshotMessage;
  readonly transfer: number;
  readonly generation: number;
  after: Uint8Array;
  writing: boolean;
  askedMs: number;
  retries: number;
}

const RETRY_MS = 1000;
const RETRIES_MAX = 3;
const NOTHING = new Uint8Array(0);

export class SnapshotReceiver {
  readonly #host: ReceiverHost;
  #attempt: Attempt | undefined;

  constructor(host: ReceiverHost) {
    this.#host = host;
  }

  /** The leader has a snapshot for this node. One that is being received already goes on. */
  offered(message: SnapshotMessage, nowMs: number): void {
    const attempt = this.#attempt;
    if (attempt?.message.from === message.from && attempt.message.term === message.term) return;
    this.#begin(message, nowMs);
  }

  chunk(from: NodeId, frame: Extract<BulkFrame, { kind: 'chunk' }>, nowMs: number): void {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.writing) return;
    const isNext =
      attempt.message.from === from &&
      attempt.transfer === frame.transfer &&
      equalBytes(attempt.after, frame.after);
    if (!isNext) return;
    attempt.writing = true;
    const operations = this.#operations(attempt, frame.rows);
    this.#host.write(operations, () => this.#written(attempt, frame, nowMs));
  }

  /** Asks again for what does not come; after a few times in vain it starts from the beginning. */
  tick(nowMs: number): void {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.writing || nowMs - attempt.askedMs < RETRY_MS) return;
    attempt.retries++;
    if (attempt.retries > RETRIES_MAX) this.#attempt = undefined;
    else this.#ask(attempt, nowMs);
  }

  #begin(message: SnapshotMessage, nowMs: number): void {
    const attempt: Attempt = {
      message,
      transfer: this.#host.random(),
      generation: this.#host.nextGeneration(),
      after: NOTHING,
      writing: false,
      askedMs: nowMs,
      retries: 0,
    };
    this.#attempt = attempt;
    this.#ask(attempt, nowMs);
  }

  #ask(attempt: Attempt, nowMs: number): void {
    const { group, header } = this.#host;
    const { transfer, after, message } = attempt;
    attempt.askedMs = nowMs;
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

  #written(
    attempt: Attempt,
    { rows, end }: Extract<BulkFrame, { kind: 'chunk' }>,
    nowMs: number,
  ): void {
    if (this.#attempt !== attempt) return; // Another one has begun meanwhile.
    attempt.writing = false;
    attempt.retries = 0;
    if (end !== undefined) {
      this.#attempt = undefined;
      this.#host.complete({ message: attempt.message, end, generation: attempt.generation });
      return;
    }
    assert(rows.length > 0, 'a chunk that is not the last one has rows');
    attempt.after = rows.at(-2)!;
    this.#ask(attempt, nowMs);
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
