// How much is read of a process, and what it does about that: it counts (heat.ts), has replicas keep copies of what is hot
// and sends readers there (offers.ts, attached-replicas.ts), and refuses what it cannot bear (shedding.ts).

import type { Limits } from '@deltabase/base';
import type { DocumentName } from '../documents/document-name.js';
import type { Failure } from '../results.js';
import { AttachedReplicas } from './attached-replicas.js';
import { Heat } from './heat.js';
import type { DocumentHeat } from './heat-table.js';
import { Offers } from './offers.js';
import { Shedding } from './shedding.js';

/** A document, and how much is read of it here and elsewhere. */
export interface HotDocument extends DocumentHeat {
  /** How many copies it should have; 0: it is not hot. */
  readonly copiesWanted: number;
  /** Where copies are ready, host:port. */
  readonly copies: readonly string[];
  /** What is asked of the copies, in reads per second. */
  readonly copiesHeat: number;
}

export interface ReadLoadHost {
  readonly limits: Limits;
  nowMs(): number;
  inTurn(step: () => void): void;
  /** The longest that a turn was waited for since this was last asked, ms. */
  takeLongestWait(): number;
}

export class ReadLoad {
  readonly heat: Heat;
  readonly shedding: Shedding;
  readonly replicas: AttachedReplicas;
  readonly #host: ReadLoadHost;
  readonly #offers: Offers;
  readonly #listeners = new Set<(document: DocumentName) => void>();

  constructor(host: ReadLoadHost) {
    const { limits } = host;
    this.#host = host;
    this.heat = new Heat(limits);
    this.shedding = new Shedding(limits);
    this.#offers = new Offers({
      hot: () => this.heat.hot(),
      copiesWanted: (document) => this.heat.copiesWanted(document),
      ordersMax: limits.ordersMax,
      copiesChanged: (document) => {
        for (const listener of this.#listeners) listener(document);
      },
    });
    this.replicas = new AttachedReplicas({
      ...{ limits, offers: this.#offers },
      nowMs: () => host.nowMs(),
      inTurn: (step) => host.inTurn(step),
    });
  }

  /** Where else a document may be read and watched, host:port: copies that are ready. */
  copiesOf(document: DocumentName): readonly string[] {
    return this.#offers.copiesOf(document);
  }

  /** What is asked of the copies of a document, in reads per second. */
  heatElsewhere(document: DocumentName): number {
    return this.#offers.heatElsewhere(document);
  }

  /** Calls `listener` with a document that may be read elsewhere than before. Returns how to stop it. */
  followCopies(listener: (document: DocumentName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The documents with the most heat, here and at their copies, the hottest first; at most so many. */
  hottest(count: number): HotDocument[] {
    const all = this.heat.hottest(this.#host.nowMs(), count).map((heat) => ({
      copiesWanted: this.heat.copiesWanted(heat),
      copies: this.copiesOf(heat),
      copiesHeat: this.heatElsewhere(heat),
      ...heat,
    }));
    all.sort((a, b) => b.heat + b.copiesHeat - (a.heat + a.copiesHeat));
    return all.slice(0, count);
  }

  tick(nowMs: number): void {
    const { heat, shedding } = this;
    heat.tick(nowMs, (document) => this.#offers.heatElsewhere(document));
    shedding.tick(nowMs, this.#host.takeLongestWait(), heat.reads + heat.deliveries);
    this.replicas.tick(nowMs);
  }

  close(why: Failure): void {
    this.replicas.close(why);
    this.#listeners.clear();
  }
}
