// Gathers everything a node wants on disk into one synced batch at a time: while one is in flight the next
// one grows (docs/decisions/0002). A unit is what must be written together; units reach the disk
// in the order in which they were added, and their callbacks run in that order, each in a turn.

import { assert, type Limits } from '@deltabase/base';
import type { Disk, DiskOperation } from '../ports.js';
import type { TurnLoop } from '../turn-loop.js';

interface Unit {
  readonly operations: readonly DiskOperation[];
  readonly bytes: number;
  readonly done: () => void;
}

export class DurableWriter {
  readonly #disk: Disk;
  readonly #loop: TurnLoop;
  readonly #batchBytesMax: number;
  readonly #queueBytesMax: number;
  #waiting: Unit[] = [];
  #waitingBytes = 0;
  #inFlight = false;
  /** The next batch has waited for frames. */
  #hasWaited = false;
  #writes = 0;
  #bytesWritten = 0;

  constructor(disk: Disk, loop: TurnLoop, limits: Limits) {
    this.#disk = disk;
    this.#loop = loop;
    this.#batchBytesMax = limits.batchBytesMax;
    this.#queueBytesMax = limits.writeQueueBytesMax;
  }

  /** Batches written so far. */
  get writes(): number {
    return this.#writes;
  }

  /** Bytes of keys and values in them. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Bytes that wait for the batch in flight to end. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Whether so much waits that nothing should be begun that writes more. What must be written all the same still
   * is taken: it is bounded by what was begun before.
   */
  get isFull(): boolean {
    return this.#waitingBytes > this.#queueBytesMax;
  }

  /** The number of the batch that is being written; 0: none is. */
  get inFlight(): number {
    return this.#inFlight ? this.#writes : 0;
  }

  get idle(): boolean {
    return !this.#inFlight && this.#waiting.length === 0;
  }

  /** Has all of `operations` written together; `done` runs in a turn once they are on stable storage. */
  add(operations: readonly DiskOperation[], done: () => void): void {
    let bytes = 0;
    for (const operation of operations) {
      bytes += operation.key.length + (operation.kind === 'put' ? operation.value.length : 0);
    }
    this.#waiting.push({ operations, bytes, done });
    this.#waitingBytes += bytes;
  }

  /**
   * Starts the next batch unless one is in flight; called at the end of each turn. Frames leave the process once their turn is
   * over, and others have work to do with them: a batch that is `behindFrames` of its turn begins in the next one, whatever
   * that one sends.
   */
  flush(behindFrames = false): void {
    if (this.#inFlight || this.#waiting.length === 0) return;
    this.#hasWaited = behindFrames && !this.#hasWaited;
    if (this.#hasWaited) {
      this.#loop.wake();
      return;
    }
    const units = this.#takeBatch();
    const operations: DiskOperation[] = [];
    for (const unit of units) for (const operation of unit.operations) operations.push(operation);
    this.#inFlight = true;
    this.#writes++;
    this.#disk.write(operations, () => this.#loop.enqueue(() => this.#completed(units)));
  }

  #takeBatch(): Unit[] {
    let bytes = 0;
    let count = 0;
    for (const unit of this.#waiting) {
      if (count > 0 && bytes + unit.bytes > this.#batchBytesMax) break;
      bytes += unit.bytes;
      count++;
    }
    this.#waitingBytes -= bytes;
    this.#bytesWritten += bytes;
    return this.#waiting.splice(0, count);
  }

  #completed(units: readonly Unit[]): void {
    assert(this.#inFlight, 'only a batch in flight completes');
    this.#inFlight = false;
    for (const unit of units) unit.done();
  }
}
