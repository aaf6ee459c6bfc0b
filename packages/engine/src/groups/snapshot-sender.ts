// Gives a group's rows to a node that is too far behind for the log: from a frozen view of the database, in
// chunks that the receiver asks for one by one, so that its pace is the pace.

import { assert, type Limits } from '@deltabase/base';
import {
  type BulkFrame,
  encodeBulkFrame,
  type FrameHeader,
  type SnapshotEnd,
} from '../peers/frame.js';
import type { Disk, DiskReader, NodeId } from '../ports.js';
import { groupKey, keyAfter, rowKey, rowSuffix, rowsRange } from '../storage/keys.js';
import { decodeGroupRow, type GroupRow } from '../storage/rows.js';

interface Transfer {
  /** The receiver's name for the attempt. */
  readonly id: number;
  readonly view: DiskReader & { close(): void };
  readonly row: GroupRow;
  usedMs: number;
  /** The last chunk was sent; it is kept only in case that must be sent again. */
  ended: boolean;
}

type Pull = Extract<BulkFrame, { kind: 'pull' }>;

/** A receiver that asks for nothing for so long has given up. */
const IDLE_MS = 30_000;

export class SnapshotSender {
  readonly #disk: Disk;
  readonly #limits: Limits;
  readonly #header: FrameHeader;
  readonly #send: (to: NodeId, frame: Uint8Array) => void;
  readonly #inTurn: (step: () => void) => void;
  readonly #transfers = new Map<string, Transfer>();
  readonly #beginning = new Set<string>();

  constructor(options: {
    readonly disk: Disk;
    readonly limits: Limits;
    readonly header: FrameHeader;
    readonly send: (to: NodeId, frame: Uint8Array) => void;
    readonly inTurn: (step: () => void) => void;
  }) {
    this.#disk = options.disk;
    this.#limits = options.limits;
    this.#header = options.header;
    this.#send = options.send;
    this.#inTurn = options.inTurn;
  }

  /** A node asks for a chunk. One that asks for too much at once gets no answer and asks again. */
  pull(from: NodeId, pull: Pull, nowMs: number): void {
    const name = `${from}/${pull.group}`;
    const known = this.#transfers.get(name);
    if (known?.id === pull.transfer) {
      known.usedMs = nowMs;
      this.#sendChunk(from, pull, known);
    } else if (pull.after.length === 0 && !this.#beginning.has(name)) {
      // A new attempt takes the place of the one before.
      if (known !== undefined) this.#end(name, known);
      if (this.#hasRoom()) this.#begin(name, from, pull, nowMs);
    }
  }

  /** Transfers under way. */
  get count(): number {
    return this.#transfers.size + this.#beginning.size;
  }

  /** Lets go of transfers that nobody asks for any more. */
  tick(nowMs: number): void {
    for (const [name, transfer] of this.#transfers) {
      if (nowMs - transfer.usedMs > IDLE_MS) this.#end(name, transfer);
    }
  }

  close(): void {
    for (const [name, transfer] of this.#transfers) this.#end(name, transfer);
  }

  #hasRoom(): boolean {
    const { snapshotTransfersMax } = this.#limits;
    for (const [name, transfer] of this.#transfers) {
      if (this.count < snapshotTransfersMax) break;
      if (transfer.ended) this.#end(name, transfer);
    }
    return this.count < snapshotTransfersMax;
  }

  #begin(name: string, from: NodeId, pull: Pull, nowMs: number): void {
    this.#beginning.add(name);
    const view = this.#disk.freeze();
    view.get(groupKey(pull.group), (bytes) =>
      this.#inTurn(() => {
        assert(bytes !== undefined, 'a group has a row');
        const row = decodeGroupRow(bytes);
        const transfer = { id: pull.transfer, view, row, usedMs: nowMs, ended: false };
        this.#beginning.delete(name);
        this.#transfers.set(name, transfer);
        this.#sendChunk(from, pull, transfer);
      }),
    );
  }

  #sendChunk(to: NodeId, { group, after }: Pull, transfer: Transfer): void {
    const { id, view, row } = transfer;
    const all = rowsRange(group, row.generation, row.generation + 1);
    const start = after.length === 0 ? all.start : keyAfter(rowKey(group, row.generation, after));
    const bytesMax = this.#limits.snapshotChunkBytesMax;
    view.range({ start, end: all.end, bytesMax }, (rows, more) =>
      this.#inTurn(() => {
        const flat: Uint8Array[] = [];
        for (const { key, value } of rows) flat.push(rowSuffix(key), value);
        transfer.ended ||= !more;
        const end = more ? undefined : endOf(row);
        const place = { group, transfer: id, after };
        const frame: BulkFrame = { kind: 'chunk', rows: flat, end, ...this.#header, ...place };
        this.#send(to, encodeBulkFrame(frame));
      }),
    );
  }

  #end(name: string, transfer: Transfer): void {
    this.#transfers.delete(name);
    transfer.view.close();
  }
}

function endOf(row: GroupRow): SnapshotEnd {
  return {
    index: row.flushedIndex,
    term: row.flushedTerm,
    confState: row.confState,
    time: row.time,
  };
}
