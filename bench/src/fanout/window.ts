// The versions that are measured, and when each watcher got them: how late that was.

import { quantile } from '../harness.js';
import type { Lateness } from './fleet.js';
import { writeOf } from './watched.js';

/** The value in an event. */
export type ValueFinder = (event: Uint8Array) => string;

export interface Arrival {
  readonly version: number;
  readonly event: Uint8Array;
  readonly atMs: number;
}

export class Window {
  readonly #watchers: number;
  readonly #find: ValueFinder;
  #first = 0;
  #count = 0;
  #receivedMs = new Float64Array();
  /** What the first watcher got. */
  #events: Uint8Array[] = [];

  constructor(watchers: number, find: ValueFinder) {
    this.#watchers = watchers;
    this.#find = find;
  }

  /** From now on versions `[first, first + count)` are. */
  begin(first: number, count: number): void {
    this.#first = first;
    this.#count = count;
    this.#receivedMs = new Float64Array(count * this.#watchers);
    this.#events = [];
  }

  /** A watcher got a version; each gets them in order. */
  note(watcher: number, { version, event, atMs }: Arrival): void {
    const at = version - this.#first;
    if (at < 0 || at >= this.#count) return;
    this.#receivedMs[watcher * this.#count + at] = atMs;
    if (watcher === 0) this.#events.push(event);
  }

  /** `sentMs` is when each write was sent. Throws unless each came once, in whatever order. */
  lateness(sentMs: readonly number[]): Lateness {
    const writes = this.#events.map((event) => writeOf(this.#find(event)) - this.#first);
    if (new Set(writes).size !== this.#count || writes.some((n) => !(n in sentMs))) {
      throw new Error('the writes that came are not those that were sent');
    }
    const late = this.#receivedMs.map((ms, at) => ms - sentMs[writes[at % this.#count]!]!);
    const sorted = late.sort();
    const delivered = this.#receivedMs.reduce((count, ms) => count + (ms > 0 ? 1 : 0), 0);
    return { delivered, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
  }
}
