// What a simulated node keeps when it ends: a disk in memory for tests that need no more, or the files of a LevelDB
// with the real driver on them.

import { DeltabaseError } from '@deltabase/base';
import { startLevelDisk } from '@deltabase/driver-level';
import type { Disk, DiskOperation } from '@deltabase/engine';
import type { DiskCall, DiskDelay } from './disk-hang.js';
import { MemoryDisk } from './memory-disk.js';
import { SIMULATED_RING_SLOTS, SimulatedLevel, type WriteFault } from './simulated-level.js';
import { type Row, SortedMap } from './sorted-map.js';

/** What a disk is opened with in a life of its node. */
export interface DiskLife {
  readonly delay: DiskDelay;
  /** The disk has failed: the process must end. */
  readonly fatal: (error: DeltabaseError | undefined) => void;
}

/** The data directory of a node, through all its lives. */
export interface NodeStorage {
  /** The engine's rows, as they would be found now. */
  readonly rows: SortedMap;
  open(life: DiskLife, opened: (disk: Disk | DeltabaseError) => void): void;
  /** The node's process ends; what it was writing may be there all the same. Returns that batch if it is. */
  end(inFlight: 'kept' | 'lost'): readonly DiskOperation[] | undefined;
  failNextWrite(fault: WriteFault | undefined): void;
  /** Nothing of these kinds ends until `release`. */
  hold(kinds: readonly DiskCall[]): void;
  release(): void;
  setFreeBytes(bytes: number): void;
}

export class MemoryStorage implements NodeStorage {
  #rows = new SortedMap();
  #disk: MemoryDisk | undefined;
  #fatal = (): void => {};

  get rows(): SortedMap {
    return this.#disk?.durable ?? this.#rows;
  }

  set rows(rows: SortedMap) {
    this.#rows = rows;
  }

  open({ delay, fatal }: DiskLife, opened: (disk: Disk) => void): void {
    this.#disk = new MemoryDisk({ later: delay }, this.#rows);
    this.#fatal = () => fatal(undefined);
    opened(this.#disk);
  }

  end(inFlight: 'kept' | 'lost'): readonly DiskOperation[] | undefined {
    const kept = inFlight === 'kept' ? this.#disk?.completeInFlight() : undefined;
    this.#rows = this.rows;
    this.#disk = undefined;
    return kept;
  }

  failNextWrite(fault: WriteFault | undefined): void {
    this.#disk?.failNextWrite(fault && this.#fatal);
  }

  hold(kinds: readonly DiskCall[]): void {
    this.#disk?.hold(kinds);
  }

  release(): void {
    this.#disk?.release();
  }

  setFreeBytes(bytes: number): void {
    this.#disk?.setFreeBytes(bytes);
  }
}

/** The first byte of the driver's own rows. */
const RING_ROWS_END = Uint8Array.of(1);
const ROWS_END = Uint8Array.of(255);
const CHECKSUM_BYTES = 4;

export class LevelStorage implements NodeStorage {
  readonly files = new SimulatedLevel();
  #measure = (): void => {};
  #inFlight: readonly DiskOperation[] = [];

  get rows(): SortedMap {
    const rows = this.files.rows.slice(RING_ROWS_END, ROWS_END);
    return new SortedMap(rows.map(unsealed));
  }

  open({ delay, fatal }: DiskLife, opened: (disk: Disk | DeltabaseError) => void): void {
    const { store, witness } = this.files.open(delay);
    const options = { fatal, witness, measureIntervalMs: 0, ringSlots: SIMULATED_RING_SLOTS };
    startLevelDisk(store, options, (disk) => {
      if (disk instanceof DeltabaseError) {
        opened(disk);
        return;
      }
      this.#measure = () => disk.measure(() => {});
      const begun = (batch: readonly DiskOperation[]): void => {
        this.#inFlight = batch;
      };
      opened(followWrites(disk, { begun, done: () => begun([]) }));
    });
  }

  end(inFlight: 'kept' | 'lost'): readonly DiskOperation[] | undefined {
    const isKept = this.files.end(inFlight);
    const batch = this.#inFlight;
    this.#inFlight = [];
    this.#measure = () => {};
    return isKept ? batch : undefined;
  }

  failNextWrite(fault: WriteFault | undefined): void {
    this.files.failNextWrite(fault);
  }

  hold(kinds: readonly DiskCall[]): void {
    this.files.hold(kinds);
  }

  release(): void {
    this.files.release();
  }

  setFreeBytes(bytes: number): void {
    this.files.freeBytes = bytes;
    this.#measure();
  }
}

/** The same disk; of each batch is told when it is given to it, and when it is durable. */
export function followWrites(
  disk: Disk,
  told: {
    readonly begun?: (batch: readonly DiskOperation[]) => void;
    readonly done: (batch: readonly DiskOperation[]) => void;
  },
): Disk {
  return {
    write: (batch, done) => {
      told.begun?.(batch);
      disk.write(batch, () => {
        told.done(batch);
        done();
      });
    },
    get: (key, done) => disk.get(key, done),
    range: (range, done) => disk.range(range, done),
    getSync: (key) => disk.getSync(key),
    freeze: () => disk.freeze(),
    compact: (start, end, done) => disk.compact(start, end, done),
    space: () => disk.space(),
  };
}

function unsealed({ key, value }: Row): Row {
  return { key, value: value.subarray(CHECKSUM_BYTES) };
}
