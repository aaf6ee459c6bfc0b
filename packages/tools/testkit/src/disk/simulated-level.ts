// The files of one node's LevelDB 1.20 as they fare under faults (docs/leveldb.md), behind the seam of the level
// driver, which runs on them unchanged. Batches are atomic and synced. They stand in a log until two write buffers
// are full, and only then in tables: until then damage to the log makes LevelDB leave out a run of them, silently.
// After a failed append it goes on, acknowledges, and loses all of that when it is opened again.

import type { Prng } from '@deltabase/base';
import type { Failed, Store, StoreOperation, StoreRow, Witness } from '@deltabase/driver-level';
import { type DiskCall, type DiskDelay, DiskHang } from './disk-hang.js';
import { type Row, SortedMap, type Walk } from './sorted-map.js';

/** How the next write fails: nothing of it reaches the log, or all of it may, but is not synced. */
export type WriteFault = 'append' | 'sync';

/** Everything in a data directory. */
export interface LevelImage {
  readonly logs: readonly Log[];
  readonly acknowledged: number;
}

/** A log file: the batches in it, and what stood in older files when it was begun. */
interface Log {
  readonly before: SortedMap;
  readonly batches: Batch[];
  bytes: number;
}

type Batch = readonly StoreOperation[];

interface InFlight {
  readonly batch: Batch;
  /** It was given to the log, and its sync failed. */
  isUnsynced: boolean;
}

/** LevelDB's are 32 MiB here (drivers/level): a simulation writes less, and must see the same things. */
const WRITE_BUFFER_BYTES = 16 * 1024;
/** Slots of the driver's ring that cover two write buffers: a batch has its mark and one row at least. */
export const SIMULATED_RING_SLOTS = (2 * WRITE_BUFFER_BYTES) / 64;
/** What a row takes in memory beside its key and its value. */
const ROW_OVERHEAD_BYTES = 24;
/** A damaged block takes batches of so many bytes with it, at most. */
const BLOCK_BYTES = 4 * 1024;

export class SimulatedLevel {
  /** What reads see. */
  #rows = new SortedMap();
  /** The older log, if it is not in tables yet, and the one that is written. */
  #logs: Log[] = [newLog(new SortedMap())];
  /** Counts openings and ends: what an earlier life still asks for is void. */
  #life = 0;
  #inFlight: InFlight | undefined;
  #fault: WriteFault | undefined;
  /** An append failed: what is acknowledged from here on is lost. */
  #isLosing = false;
  readonly #hang = new DiskHang();
  #freeBytes = 2 ** 40;
  #acknowledged = 0;

  /** Rows as LevelDB would find them. */
  get rows(): SortedMap {
    return this.#rows;
  }

  /** Bytes that are left on its file system. */
  set freeBytes(bytes: number) {
    this.#freeBytes = bytes;
  }

  /** What the driver opens in a life of its node. */
  open(delay: DiskDelay): { readonly store: Store; readonly witness: Witness } {
    const life = ++this.#life;
    const later = this.#hang.around(delay);
    const answer: DiskDelay = (kind, run) =>
      later(kind, () => {
        if (this.#life === life) run();
      });
    return { store: this.#store(life, answer), witness: this.#witness() };
  }

  /**
   * The process ends. A batch in flight, or one whose sync failed, is there when it is opened again (`kept`), or not
   * (`lost`, or torn: LevelDB leaves out a record that is not whole). Returns whether there was one, and it is.
   */
  end(inFlight: 'kept' | 'lost'): boolean {
    const batch = this.#isLosing || inFlight === 'lost' ? undefined : this.#inFlight?.batch;
    if (batch !== undefined) this.#append(batch);
    this.#life++;
    this.#inFlight = undefined;
    this.#fault = undefined;
    this.#hang.forget();
    this.#recover();
    return batch !== undefined;
  }

  /** After a power failure the number of acknowledged batches may be an older one: that file is not synced. */
  forgetAcknowledged(batches: number): void {
    this.#acknowledged = Math.max(0, this.#acknowledged - batches);
  }

  failNextWrite(fault: WriteFault | undefined): void {
    this.#fault = fault;
  }

  /** The disk hangs: nothing of these kinds that is asked of it ends until `release`. */
  hold(kinds: readonly DiskCall[]): void {
    this.#hang.hold(kinds);
  }

  release(): void {
    this.#hang.release();
  }

  // What happens to files while their node does not run.

  /** A block of a log is damaged: the batches in it are gone, those behind it stay. `false`: there are too few. */
  loseRun(chance: Prng): boolean {
    const all = this.#logs.flatMap((log) => log.batches.map((_, at) => ({ log, at })));
    if (all.length < 3) return false;
    const first = 1 + chance.below(all.length - 2);
    const bytesMax = 1 + chance.below(BLOCK_BYTES);
    let end = first;
    for (let bytes = 0; end < all.length - 1 && (end === first || bytes < bytesMax); end++) {
      bytes += bytesOf(all[end]!.log.batches[all[end]!.at]!);
    }
    const lost = new Set(all.slice(first, end).map(({ log, at }) => log.batches[at]!));
    this.#keepBatches((batch) => !lost.has(batch));
    return true;
  }

  /** The newest log ends too early: its last batches are gone. `false`: there is none. */
  loseTail(chance: Prng): boolean {
    const all = this.#logs.flatMap(({ batches }) => batches);
    if (all.length === 0) return false;
    const lost = new Set(all.slice(-1 - chance.below(Math.min(all.length, 8))));
    this.#keepBatches((batch) => !lost.has(batch));
    return true;
  }

  /** A bit of a value in a table turns over, at any time. `false`: there is no table. */
  flipBit(chance: Prng): boolean {
    const tables = this.#logs[0]!.before;
    const row = tables.row(chance.below(tables.size || 1));
    if (row === undefined) return false;
    // Not `slice`, which of a Buffer is a view: whoever was shown the row keeps what was there.
    const value = Uint8Array.from(row.value);
    value[chance.below(value.length)]! ^= 1 << chance.below(8);
    for (const map of [this.#rows, ...this.#logs.map((log) => log.before)]) {
      if (map.get(row.key) === row.value) map.put(row.key, value);
    }
    return true;
  }

  /** A copy of everything, as a backup tool makes it. */
  image(): LevelImage {
    return { logs: this.#logs.map(copyLog), acknowledged: this.#acknowledged };
  }

  restore({ logs, acknowledged }: LevelImage): void {
    this.#logs = logs.map(copyLog);
    this.#acknowledged = acknowledged;
    this.#recover();
  }

  wipe(): void {
    this.restore({ logs: [newLog(new SortedMap())], acknowledged: 0 });
  }

  #store(life: number, answer: DiskDelay): Store {
    return {
      writeSynced: (operations, done, failed) => {
        // An engine that is stopped in the middle of a turn ends the turn.
        if (this.#life !== life) return;
        if (this.#inFlight !== undefined && !this.#inFlight.isUnsynced) {
          throw new Error('batches that are not awaited have no order');
        }
        this.#inFlight = { batch: operations, isUnsynced: this.#inFlight?.isUnsynced ?? false };
        answer('write', () => this.#write(operations, done, failed));
      },
      get: (key, snapshot, done) =>
        answer('read', () =>
          done(((snapshot as Snapshot | undefined)?.rows ?? this.#rows).get(key)),
        ),
      getSync: (key) => this.#rows.get(key),
      iterate: ({ gte, lt, reverse, snapshot }) => {
        const rows = (snapshot as Snapshot | undefined)?.rows ?? this.#rows.copy();
        const walk = rows.walk(gte, lt, { reverse });
        return {
          next: (count, done) => answer('read', () => done(nextRows(walk, count))),
          close() {},
        };
      },
      snapshot: () => new Snapshot(this.#rows.copy()),
      compact: (_start, _end, done) => answer('read', done),
      measure: (done) =>
        answer('read', () => done({ freeBytes: this.#freeBytes, usedBytes: 64 * this.#rows.size })),
      close: (done) => answer('read', done),
    };
  }

  #witness(): Witness {
    const self = this;
    return {
      get counter() {
        return self.#acknowledged;
      },
      write(counter) {
        self.#acknowledged = counter;
      },
      close() {},
    };
  }

  #write(batch: Batch, done: () => void, failed: Failed): void {
    const fault = this.#inFlight!.isUnsynced ? 'sync' : this.#fault;
    this.#fault = undefined;
    if (fault === 'sync') {
      this.#inFlight!.isUnsynced = true;
      failed(new Error('IO error: sync: Input/output error'));
      return;
    }
    this.#inFlight = undefined;
    if (fault === 'append') {
      this.#isLosing = true;
      failed(new Error('IO error: append: No space left on device'));
      return;
    }
    this.#append(batch);
    done();
  }

  /** Puts a batch into the log, unless LevelDB only believes that it does. */
  #append(batch: Batch): void {
    applyBatch(this.#rows, batch);
    if (this.#isLosing) return;
    const log = this.#logs.at(-1)!;
    log.batches.push(batch);
    log.bytes += bytesOf(batch);
    if (log.bytes < WRITE_BUFFER_BYTES) return;
    this.#logs = [log, newLog(this.#rows.copy())];
  }

  /** What is in the files, and nothing else. */
  #recover(): void {
    const [oldest, ...others] = this.#logs;
    const rows = oldest!.before.copy();
    for (const batch of oldest!.batches) applyBatch(rows, batch);
    for (const log of others) for (const batch of log.batches) applyBatch(rows, batch);
    this.#rows = rows;
    this.#isLosing = false;
  }

  #keepBatches(isKept: (batch: Batch) => boolean): void {
    const [oldest] = this.#logs;
    // What is left of all of them stands in one log now, which LevelDB makes into a table when it opens.
    const batches = this.#logs.flatMap((log) => log.batches).filter(isKept);
    const bytes = batches.reduce((sum, batch) => sum + bytesOf(batch), 0);
    this.#logs = [{ before: oldest!.before, batches, bytes }];
    this.#recover();
  }
}

class Snapshot {
  readonly rows: SortedMap;

  constructor(rows: SortedMap) {
    this.rows = rows;
  }

  close(): void {}
}

function newLog(before: SortedMap): Log {
  return { before, batches: [], bytes: 0 };
}

function copyLog({ before, batches, bytes }: Log): Log {
  return { before: before.copy(), batches: [...batches], bytes };
}

function applyBatch(rows: SortedMap, batch: Batch): void {
  for (const operation of batch) {
    if (operation.type === 'put') rows.put(operation.key, operation.value);
    else rows.delete(operation.key);
  }
}

function bytesOf(batch: Batch): number {
  let bytes = 0;
  for (const operation of batch) {
    bytes += ROW_OVERHEAD_BYTES + operation.key.length;
    if (operation.type === 'put') bytes += operation.value.length;
  }
  return bytes;
}

function nextRows(walk: Walk, count: number): StoreRow[] {
  return walk.next(count).map(({ key, value }: Row): StoreRow => [key, value]);
}
