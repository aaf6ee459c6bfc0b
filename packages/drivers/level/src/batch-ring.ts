// Finds holes in the database at boot. Each batch also writes its counter into one slot of a ring; LevelDB
// may silently skip damaged records in the middle of its log (docs/leveldb.md, facts 2 and 3), and then
// a counter between others is missing. Holes can only be among what was not yet moved into sorted files, at
// most two write buffers (64 MiB); the mark and one row more take over 64 bytes of them, so 2^20 slots cover it.

import { DeltabaseError } from '@deltabase/base';
import { seal, unseal } from './sealed.js';
import type { Failed, Store, StoreOperation, StoreRow } from './store.js';

/** Slots of a ring. */
export const RING_SLOTS = 2 ** 20;
const PREFIX = 0x00;
const ROWS_AT_ONCE = 4096;

/** The next batch's number. */
export class BatchRing {
  readonly #slots: number;
  #counter: number;

  constructor(counter: number, slots: number) {
    this.#counter = counter;
    this.#slots = slots;
  }

  /** The number of the last batch. */
  get counter(): number {
    return this.#counter;
  }

  /** The operation that marks the next batch. */
  mark(): StoreOperation {
    this.#counter++;
    const key = slotKey(this.#counter % this.#slots);
    const value = Buffer.allocUnsafe(8);
    value.writeDoubleLE(this.#counter, 0);
    return { type: 'put', key, value: seal(key, value) };
  }
}

/**
 * Reads the ring of `store`, of which at least `acknowledged` batches must be there. Fails with DATA_CORRUPT if one
 * that was acknowledged is missing.
 */
export function readRing(
  store: Store,
  { slots, acknowledged }: { readonly slots: number; readonly acknowledged: number },
  done: (ring: BatchRing) => void,
  failed: Failed,
): void {
  const counters = new Float64Array(slots);
  const iterator = store.iterate({
    gte: slotKey(0),
    lt: Uint8Array.of(PREFIX + 1),
    reverse: false,
    limit: -1,
    snapshot: undefined,
  });
  const end = (error: unknown): void => {
    iterator.close();
    failed(error);
  };
  const more = (rows: readonly StoreRow[]): void => {
    let ring: BatchRing | undefined;
    try {
      for (const [key, sealed] of rows) readSlot(counters, key, sealed);
      if (rows.length === 0) ring = ringOf(counters, acknowledged);
    } catch (thrown) {
      end(thrown);
      return;
    }
    if (ring === undefined) {
      iterator.next(ROWS_AT_ONCE, more, end);
      return;
    }
    iterator.close();
    done(ring);
  };
  iterator.next(ROWS_AT_ONCE, more, end);
}

/** Throws DATA_CORRUPT if a counter is missing among the last, or they end too early. */
function ringOf(counters: Float64Array, acknowledged: number): BatchRing {
  const slots = counters.length;
  const latest = counters.reduce((most, counter) => Math.max(most, counter), 0);
  if (latest < acknowledged) throw hole(latest + 1, acknowledged);
  for (let counter = Math.max(1, latest - slots + 1); counter <= latest; counter++) {
    if (counters[counter % slots] !== counter) throw hole(counter, latest);
  }
  return new BatchRing(latest, slots);
}

function readSlot(counters: Float64Array, key: Uint8Array, sealed: Uint8Array): void {
  const value = unseal(key, sealed);
  const slots = counters.length;
  const slot = key.length === 4 ? (key[1]! << 16) | (key[2]! << 8) | key[3]! : slots;
  const counter =
    value?.length === 8 ? new DataView(value.buffer, value.byteOffset).getFloat64(0, true) : 0;
  if (slot >= slots || counter % slots !== slot || counter < 1) {
    throw new DeltabaseError('DATA_CORRUPT', `slot ${slot} of the batch ring is damaged`);
  }
  counters[slot] = counter;
}

function slotKey(slot: number): Uint8Array {
  return Uint8Array.of(PREFIX, slot >>> 16, (slot >>> 8) & 255, slot & 255);
}

function hole(counter: number, latest: number): DeltabaseError {
  return new DeltabaseError(
    'DATA_CORRUPT',
    `batch ${counter} of ${latest} is missing from the database: this node acknowledged data that it ` +
      'no longer has, so it must not vote again; replace it by a fresh node',
    { details: { missing: counter, latest } },
  );
}
