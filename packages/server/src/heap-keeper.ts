// Gives memory back that nothing uses any more. V8 collects its old generation only when that has grown by a
// good part, so a node that has let go of a hundred thousand documents and rests keeps their garbage for hours.
// Once the heap has been calm for a while and may hold much garbage, it is collected: one pause of some 100 ms
// when there is little to do, well under an election timeout.

import { performance } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A heap, in bytes. */
export interface HeapSize {
  readonly used: number;
  /** Taken from the operating system. */
  readonly committed: number;
}

export interface HeapKeeperOptions {
  size(): HeapSize;
  /** How much of the time since it was asked last the process was at work, 0 to 1. */
  load(): number;
  collect(): void;
}

/** How often the heap is looked at. */
const LOOK_MS = 2000;
/** Looks in a row without much work and allocation that make it calm. */
const CALM_LOOKS = 2;
/** What a node does that rests; one that delivers to watchers all the time does more, and a pause would be seen. */
const CALM_LOAD = 0.1;
/** Bytes allocated between two looks of a calm heap. */
const CALM_BYTES = 16 * 1024 * 1024;
/** Less garbage, or less room, is not worth a pause. */
const GARBAGE_BYTES_MIN = 32 * 1024 * 1024;
const ROOM_BYTES_MIN = 64 * 1024 * 1024;
/** V8 gives its room back little by little: so many collections in one calm, then never mind. */
const COLLECTIONS_MAX = 4;

export class HeapKeeper {
  readonly #options: HeapKeeperOptions;
  #lastBytes: number;
  /** The least in use that was seen: what is above may be garbage. */
  #liveBytes: number;
  #calmLooks = 0;
  #collections = 0;

  constructor(options: HeapKeeperOptions) {
    this.#options = options;
    this.#lastBytes = options.size().used;
    this.#liveBytes = this.#lastBytes;
  }

  /** To be called at intervals. */
  look(): void {
    const { used, committed } = this.#options.size();
    const isCalm =
      this.#options.load() < CALM_LOAD && Math.abs(used - this.#lastBytes) < CALM_BYTES;
    this.#lastBytes = used;
    this.#liveBytes = Math.min(this.#liveBytes, used);
    this.#calmLooks = isCalm ? this.#calmLooks + 1 : 0;
    if (!isCalm) this.#collections = 0;
    if (this.#calmLooks < CALM_LOOKS || this.#collections >= COLLECTIONS_MAX) return;
    const isWorthIt =
      used - this.#liveBytes >= GARBAGE_BYTES_MIN || committed - used >= ROOM_BYTES_MIN;
    if (isWorthIt) this.#collect();
  }

  #collect(): void {
    this.#collections++;
    this.#options.collect();
    this.#lastBytes = this.#options.size().used;
    this.#liveBytes = this.#lastBytes;
  }
}

/** Keeps the heap of this process. Returns how to stop. */
export function keepHeap(): () => void {
  // The only way to V8's collector that does not need a flag at the start of the process.
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  const size = (): HeapSize => {
    const { used_heap_size: used, total_heap_size: committed } = getHeapStatistics();
    return { used, committed };
  };
  let last = performance.eventLoopUtilization();
  const load = (): number => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
  const keeper = new HeapKeeper({ size, load, collect });
  const timer = setInterval(() => keeper.look(), LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
