// A world whose time passes event by event: hours of retries in milliseconds, the same each time for a seed.

import { makePrng, type Prng } from '@deltabase/base';
import type { World } from '../../src/world.js';

interface Event {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export class VirtualWorld implements World {
  readonly chance: Prng;
  readonly #names: Prng;
  readonly #events: Event[] = [];
  #nowMs = 0;
  #order = 0;
  #named = 0;
  /** Added to the wall clock. */
  skewMs = 0;

  constructor(seed: number) {
    const random = makePrng(seed);
    this.chance = random.fork('chance');
    this.#names = random.fork('names');
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + Math.floor(this.#nowMs) + this.skewMs;
  }

  random(): number {
    return this.chance.fraction();
  }

  soon(run: () => void): void {
    this.after(0, run);
  }

  after(ms: number, run: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, run };
    this.#push(event);
    return () => {
      event.run = undefined;
    };
  }

  /** What is yet to happen. */
  get pending(): number {
    return this.#events.filter(({ run }) => run !== undefined).length;
  }

  uniqueName(): string {
    return `session-${++this.#named}-${this.#names.next()}`;
  }

  /** A whole number, uniform in [0, bound). */
  below(bound: number): number {
    return this.chance.below(bound);
  }

  /** Lets time pass until `done`, or fails after `limitMs` of it. */
  async runUntil(done: () => boolean, limitMs = 600_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    let isCalm = false;
    for (let steps = 1, idle = 0; !done(); steps++) {
      const event = this.#pop();
      if (event !== undefined && event.atMs - this.#nowMs > JUMP_MS && !isCalm) {
        // Promise chains may yet ask for something sooner.
        this.#push(event);
        await new Promise((resolve) => setImmediate(resolve));
        isCalm = true;
        continue;
      }
      isCalm = false;
      if (event === undefined && idle++ < IDLE_MAX) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      idle = 0;
      if (event === undefined || event.atMs > endMs) {
        throw new Error(`not reached by ${this.#nowMs} ms of virtual time: ${done}`);
      }
      if (event.run === undefined) continue;
      this.#nowMs = event.atMs;
      event.run();
      await null;
      // Promise chains end before much more happens.
      if (steps % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets `ms` pass. */
  async run(ms: number): Promise<void> {
    let passed = false;
    this.after(ms, () => {
      passed = true;
    });
    await this.runUntil(() => passed, ms);
  }

  #push(event: Event): void {
    const heap = this.#events;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#events;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === first || last === undefined) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/** Before time passes by so much at once everything has come to rest, ms. */
const JUMP_MS = 100;
/** With nothing left to happen, promises get so many turns of the process to end. */
const IDLE_MAX = 3;

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
