// How hot documents are, in bounded memory: the decayed rates of their reads and of deliveries to their watchers.
//
// Which documents are told apart is decided by Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient Computation
// of Frequent and Top-k Elements in Data Streams", ICDT 2005): a document that is not in the full table takes the
// place of the coolest one, and its heat along as what it may be overestimated by. So of the heat N of all
// documents together, in a table of k,
//   - no document is estimated too low, and none too high by more than N / k;
//   - every document hotter than N / k is there.
// Events are forgotten by halves: one weighs half of what one weighs that comes a half-life later (forward decay;
// Cormode, Shkapenyuk, Srivastava, Xu, "Forward Decay", ICDE 2009). What an event weighs against others never
// changes, so what holds for counts holds for these sums. Now and then all are made smaller alike, and documents
// of which less than a millionth of an event is left are forgotten: that much may be missing.

import { assert } from '@deltabase/base';
import { DocumentMap } from '../documents/document-map.js';
import type { DocumentName } from '../documents/document-name.js';
import { WeightHeap } from './weight-heap.js';

/**
 * What delivering an event costs, in reads: by bench/results a node spends some 5 us of CPU on a delivery to one of
 * many watchers, and some 50 on a read. Heat is counted in reads.
 */
export const DELIVERY_COST = 0.1;

/** Rates of a document in a second, decayed: a change shows by half after a half-life. */
export interface DocumentHeat extends DocumentName {
  readonly readsPerSecond: number;
  readonly deliveriesPerSecond: number;
  /** Of values that were read and events that were delivered. */
  readonly bytesPerSecond: number;
  /** Reads and deliveries together, by what they cost, in reads per second: at least so much, */
  readonly heat: number;
  /** and at most so much more, from before the table told the document apart; the rates above lack it. */
  readonly heatError: number;
}

export interface HeatTableOptions {
  /** How many documents are told apart, at least 1. */
  readonly documentsMax: number;
  /** At least 1. */
  readonly halfLifeMs: number;
}

/** Weights are made smaller after so many half-lives: numbers stay far from what they cannot hold. */
const HALF_LIVES_MAX = 32;
/** What is forgotten, in events. */
const FORGOTTEN = 1e-6;

export class HeatTable {
  readonly #options: HeatTableOptions;
  readonly #perSecond: number;
  readonly #slots = new DocumentMap<number>();
  /** By slot: the name, in an object of the table's own that stays; */
  readonly #names: Array<{ space: string; key: string }> = [];
  /** and decayed sums, in units of an event at `#originMs`. */
  readonly #reads: Float64Array;
  readonly #deliveries: Float64Array;
  readonly #bytes: Float64Array;
  /** Heat that a slot had when its document took it. */
  readonly #inherited: Float64Array;
  /** All heat of a slot. */
  readonly #heap: WeightHeap;
  readonly #free: number[] = [];
  #nowMs = 0;
  #originMs = 0;
  /** What an event weighs now; at least 1. */
  #weight = 1;
  #total = 0;

  constructor(options: HeatTableOptions) {
    const { documentsMax, halfLifeMs } = options;
    this.#options = options;
    this.#perSecond = (Math.LN2 * 1000) / halfLifeMs;
    this.#reads = new Float64Array(documentsMax);
    this.#deliveries = new Float64Array(documentsMax);
    this.#bytes = new Float64Array(documentsMax);
    this.#inherited = new Float64Array(documentsMax);
    this.#heap = new WeightHeap(documentsMax);
    for (let slot = documentsMax - 1; slot >= 0; slot--) {
      this.#names.push({ space: '', key: '' });
      this.#free.push(slot);
    }
  }

  /** Documents that are told apart. */
  get size(): number {
    return this.#heap.size;
  }

  /** Heat of all documents together, in reads per second. */
  get totalHeat(): number {
    return this.#rate(this.#total);
  }

  /** The heat that a document may have that is not in the table, in reads per second. */
  get untoldHeat(): number {
    return this.#free.length > 0 ? 0 : this.#rate(this.#heap.weightOf(this.#heap.least));
  }

  /** What happens from now on happens at this time, ms by any clock that does not go back. */
  advance(nowMs: number): void {
    if (nowMs <= this.#nowMs) return;
    this.#nowMs = nowMs;
    const halfLives = (nowMs - this.#originMs) / this.#options.halfLifeMs;
    if (halfLives > HALF_LIVES_MAX) this.#rebase(2 ** -halfLives);
    else this.#weight = 2 ** halfLives;
  }

  /** A read was answered with so many bytes. */
  read(document: DocumentName, bytes: number): void {
    const slot = this.#add(document, this.#weight);
    this.#reads[slot] = this.#reads[slot]! + this.#weight;
    this.#bytes[slot] = this.#bytes[slot]! + bytes * this.#weight;
  }

  /** So many events were delivered to watchers, of so many bytes in all. */
  delivered(document: DocumentName, events: number, bytes: number): void {
    const weight = events * this.#weight;
    const slot = this.#add(document, weight * DELIVERY_COST);
    this.#deliveries[slot] = this.#deliveries[slot]! + weight;
    this.#bytes[slot] = this.#bytes[slot]! + bytes * this.#weight;
  }

  /** What is known of a document; `undefined` if it is not told apart: see `untoldHeat`. */
  find(document: DocumentName): DocumentHeat | undefined {
    const slot = this.#slots.get(document);
    return slot === undefined ? undefined : this.#heatOf(slot);
  }

  /** Documents that have at least this heat for certain, in no order. */
  *atLeast(heat: number): Generator<DocumentHeat, void, void> {
    for (const slot of this.#slots.values()) {
      if (this.#rate(this.#ownHeat(slot)) >= heat) yield this.#heatOf(slot);
    }
  }

  /** The hottest documents, by the heat that they have for certain, at most so many. */
  hottest(count: number): DocumentHeat[] {
    const all = [...this.#slots.values()];
    all.sort((a, b) => this.#ownHeat(b) - this.#ownHeat(a));
    return all.slice(0, count).map((slot) => this.#heatOf(slot));
  }

  /** Adds heat to a document's slot, which it gets if it has none. */
  #add(document: DocumentName, heat: number): number {
    this.#total += heat;
    const known = this.#slots.get(document);
    if (known !== undefined) {
      this.#heap.grow(known, heat);
      return known;
    }
    const slot = this.#free.pop();
    if (slot === undefined) return this.#replaceLeast(document, heat);
    this.#take(slot, document, 0);
    this.#heap.add(slot, heat);
    return slot;
  }

  #replaceLeast(document: DocumentName, heat: number): number {
    const slot = this.#heap.least;
    const hadOne = this.#slots.delete(this.#names[slot]!);
    assert(hadOne, 'a slot has a name by which it is found');
    this.#take(slot, document, this.#heap.weightOf(slot));
    this.#heap.grow(slot, heat);
    return slot;
  }

  #take(slot: number, { space, key }: DocumentName, inherited: number): void {
    const name = this.#names[slot]!;
    name.space = space;
    name.key = key;
    this.#slots.set(name, slot);
    this.#reads[slot] = 0;
    this.#deliveries[slot] = 0;
    this.#bytes[slot] = 0;
    this.#inherited[slot] = inherited;
  }

  #heatOf(slot: number): DocumentHeat {
    const { space, key } = this.#names[slot]!;
    return {
      space,
      key,
      readsPerSecond: this.#rate(this.#reads[slot]!),
      deliveriesPerSecond: this.#rate(this.#deliveries[slot]!),
      bytesPerSecond: this.#rate(this.#bytes[slot]!),
      heat: this.#rate(this.#ownHeat(slot)),
      heatError: this.#rate(this.#inherited[slot]!),
    };
  }

  #ownHeat(slot: number): number {
    return this.#reads[slot]! + this.#deliveries[slot]! * DELIVERY_COST;
  }

  /** A steady rate r has the decayed sum r / `#perSecond`. */
  #rate(sum: number): number {
    return (sum / this.#weight) * this.#perSecond;
  }

  /** From now on an event weighs 1 again, and what was before by `factor` less than it did. */
  #rebase(factor: number): void {
    this.#originMs = this.#nowMs;
    this.#weight = 1;
    this.#total *= factor;
    this.#heap.scale(factor);
    for (const column of [this.#reads, this.#deliveries, this.#bytes, this.#inherited]) {
      for (let slot = 0; slot < column.length; slot++) column[slot] = column[slot]! * factor;
    }
    while (this.#heap.size > 0 && this.#heap.weightOf(this.#heap.least) < FORGOTTEN) {
      const slot = this.#heap.removeLeast();
      const name = this.#names[slot]!;
      const hadOne = this.#slots.delete(name);
      assert(hadOne, 'a slot has a name by which it is found');
      name.space = '';
      name.key = '';
      this.#free.push(slot);
    }
  }
}
