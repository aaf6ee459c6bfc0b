// The heat of a process's documents: what its readers and watchers get of each, and which are hot by it. It is told
// of every read and delivery, so it costs some tens of nanoseconds for each.

import type { Limits } from '@deltabase/base';
import { DocumentMap } from '../documents/document-map.js';
import type { DocumentName } from '../documents/document-name.js';
import type { HeatRange } from './heat-level.js';
import { type DocumentHeat, HeatTable } from './heat-table.js';
import { HotDocuments } from './hot-documents.js';

/** Who is told of reads and deliveries. */
export interface HeatCounter {
  /** A read of the present state was answered, with a value of so many bytes. */
  read(document: DocumentName, bytes: number): void;
  /** So many events, one at least, were given to watchers, of about so many bytes in all. */
  delivered(document: DocumentName, events: number, bytes: number): void;
}

export type DocumentRates = Pick<
  DocumentHeat,
  'readsPerSecond' | 'deliveriesPerSecond' | 'bytesPerSecond'
>;

const NO_RATES: DocumentRates = { readsPerSecond: 0, deliveriesPerSecond: 0, bytesPerSecond: 0 };

function coldOf({ space, key }: DocumentName): DocumentHeat {
  return { space, key, heat: 0, heatError: 0, ...NO_RATES };
}

type HeatLimits = Pick<
  Limits,
  | 'heatDocumentsMax'
  | 'heatHalfLifeMs'
  | 'hotReadsPerSecondMin'
  | 'copyReadsPerSecondMax'
  | 'hotCoolMs'
>;

export class Heat implements HeatCounter {
  readonly #table: HeatTable;
  readonly #hot: HotDocuments;
  #reads = 0;
  #deliveries = 0;

  constructor(limits: HeatLimits) {
    const documentsMax = limits.heatDocumentsMax;
    this.#table = new HeatTable({ documentsMax, halfLifeMs: limits.heatHalfLifeMs });
    this.#hot = new HotDocuments({
      documentsMax,
      hotFrom: limits.hotReadsPerSecondMin,
      perCopy: limits.copyReadsPerSecondMax,
      coolMs: limits.hotCoolMs,
    });
  }

  /** Reads of a present state that were answered. */
  get reads(): number {
    return this.#reads;
  }

  /** Events that were given to watchers. */
  get deliveries(): number {
    return this.#deliveries;
  }

  /** Documents that are hot. */
  get hotCount(): number {
    return this.#hot.size;
  }

  /** Documents whose heat is told apart. */
  get documentCount(): number {
    return this.#table.size;
  }

  /** What it is told of from now on happens at this time, by the monotonic clock in ms. */
  advance(nowMs: number): void {
    this.#table.advance(nowMs);
  }

  read(document: DocumentName, bytes: number): void {
    this.#reads++;
    this.#table.read(document, bytes);
  }

  delivered(document: DocumentName, events: number, bytes: number): void {
    this.#deliveries += events;
    this.#table.delivered(document, events, bytes);
  }

  /** The hot documents, and how many copies each should have. */
  hot(): Iterable<readonly [DocumentName, number]> {
    return this.#hot.all();
  }

  /** How many copies a document should have; 0: it is not hot. */
  copiesWanted(document: DocumentName): number {
    return this.#hot.copiesOf(document);
  }

  /**
   * Called a few times a second: says anew what is hot. `elsewhere` tells what is asked of the copies of a document, in reads
   * per second: their readers are its readers, and would come back.
   */
  tick(nowMs: number, elsewhere: (document: DocumentName) => number = () => 0): void {
    this.advance(nowMs);
    this.#hot.tick(nowMs, {
      atLeast: (heat) => this.#table.atLeast(heat),
      rangeOf: (document) => {
        const { low, high } = this.#rangeOf(document);
        const heat = elsewhere(document);
        return { low: low + heat, high: high + heat };
      },
    });
  }

  /** The rates of one document, as they were when it was last told what time it is. */
  rateOf(document: DocumentName): DocumentRates {
    return this.#table.find(document) ?? NO_RATES;
  }

  /** What is hot, and so many of the other documents with the most heat, in no order. */
  hottest(nowMs: number, count: number): DocumentHeat[] {
    this.advance(nowMs);
    const listed = this.#table.hottest(count);
    const others = new DocumentMap<DocumentHeat>();
    for (const [document] of this.hot()) {
      // What is asked of copies only has left the table.
      others.set(document, this.#table.find(document) ?? coldOf(document));
    }
    for (const heat of listed) others.delete(heat);
    return [...listed, ...others.values()];
  }

  #rangeOf(document: DocumentName): HeatRange {
    const found = this.#table.find(document);
    if (found === undefined) return { low: 0, high: this.#table.untoldHeat };
    return { low: found.heat, high: found.heat + found.heatError };
  }
}
