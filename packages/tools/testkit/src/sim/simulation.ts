// Virtual time: one heap of events ordered by (time, sequence), so that a run is a function of its seed.

import { makePrng, type Prng } from '@deltabase/base';

interface Event {
  readonly atMs: number;
  readonly sequence: number;
  readonly run: () => void;
}

export class Simulation {
  readonly random: Prng;
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #sequence = 0;
  #events = 0;
  #digest = 0;

  constructor(seed: number) {
    this.random = makePrng(seed);
  }

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Of the times of all events so far: equal runs have equal ones. */
  get digest(): number {
    return this.#digest >>> 0;
  }

  /** Events run so far. */
  get events(): number {
    return this.#events;
  }

  /** Has `run` called `delayMs` from now; equal times run in the order in which they were asked for. */
  schedule(delayMs: number, run: () => void): void {
    const event = { atMs: this.#nowMs + delayMs, sequence: this.#sequence++, run };
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  /** Runs events until `is` holds; throws after `limitMs` of virtual time. */
  runUntil(is: () => boolean, limitMs = 60_000): void {
    const endMs = this.#nowMs + limitMs;
    while (!is()) {
      if (this.#nowMs > endMs) throw new Error(`not reached within ${limitMs} ms of virtual time`);
      if (!this.#step()) throw new Error('nothing more happens, and it is not reached');
    }
  }

  /** The same, but looks only every `everyMs`: for what is dear to find out. */
  pollUntil(is: () => boolean, everyMs: number, limitMs = 60_000): void {
    const endMs = this.#nowMs + limitMs;
    while (!is()) {
      if (this.#nowMs > endMs) throw new Error(`not reached within ${limitMs} ms of virtual time`);
      this.runFor(everyMs);
    }
  }

  /** Runs all events of the next `forMs`. */
  runFor(forMs: number): void {
    const endMs = this.#nowMs + forMs;
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= endMs) this.#step();
    this.#nowMs = endMs;
  }

  #step(): boolean {
    const heap = this.#heap;
    const event = heap[0];
    if (event === undefined) return false;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    this.#nowMs = event.atMs;
    this.#events++;
    this.#digest = (Math.imul(this.#digest, 31) + event.sequence + event.atMs * 1024) | 0;
    event.run();
    return true;
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(event, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
