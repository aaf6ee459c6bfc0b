// Which replicas keep copies of which hot documents, and which copies readers are sent to. A document gets as many as its heat
// asks for, of the replicas that there are; which ones is decided by highest random weight (Thaler, Ravishankar, "Using
// Name-Based Mappings to Increase Hit Rates", IEEE/ACM Transactions on Networking 6(1), 1998): every process decides alike, and
// when a replica comes or goes only its own documents move. Readers are sent to copies that are ready; one that is to go stays
// until those in its place are.

import { DocumentMap } from '../documents/document-map.js';
import type { DocumentName } from '../documents/document-name.js';
import type { CopyReport, ReplicaPlace } from '../replica/replica-ports.js';
import type { Order, OrderSource } from './attached-replicas.js';
import { DELIVERY_COST } from './heat-table.js';

export interface OffersHost {
  /** The hot documents, and how many copies each should have. */
  hot(): Iterable<readonly [DocumentName, number]>;
  /** How many copies a document should have; 0: it is not hot. */
  copiesWanted(document: DocumentName): number;
  /** At most so many documents are ordered of a replica. */
  readonly ordersMax: number;
  /** Other copies are ready than before. */
  copiesChanged(document: DocumentName): void;
}

interface Copy {
  ready: boolean;
  /** What is asked of it, in reads per second. */
  heat: number;
}

interface Replica {
  readonly place: ReplicaPlace;
  /** Documents that it was told to keep. */
  readonly copies: DocumentMap<Copy>;
  /** Orders that it was not given yet. */
  hold: DocumentName[];
  release: DocumentName[];
}

const NOWHERE: readonly string[] = [];

export class Offers implements OrderSource {
  readonly #host: OffersHost;
  readonly #replicas = new Map<string, Replica>();
  /** Documents that have copies, or are to have some, and where readers are sent. */
  readonly #documents = new DocumentMap<readonly string[]>();

  constructor(host: OffersHost) {
    this.#host = host;
  }

  attach(place: ReplicaPlace): void {
    this.#replicas.set(place.name, { place, copies: new DocumentMap(), hold: [], release: [] });
  }

  detach(name: string): void {
    const replica = this.#replicas.get(name);
    if (replica === undefined) return;
    this.#replicas.delete(name);
    for (const [document] of replica.copies.entries()) this.#tellReady(document);
  }

  /** What a replica says of what it was told to keep; of what it says of others nothing is believed. */
  report(name: string, reports: readonly CopyReport[]): void {
    const replica = this.#replicas.get(name);
    if (replica === undefined) return;
    for (const { space, key, ready, readsPerSecond, deliveriesPerSecond } of reports) {
      const copy = replica.copies.get({ space, key });
      if (copy === undefined) continue;
      const wasReady = copy.ready;
      copy.ready = ready;
      copy.heat = readsPerSecond + deliveriesPerSecond * DELIVERY_COST;
      if (ready !== wasReady) this.#tellReady({ space, key });
    }
  }

  orderCount(name: string): number {
    return this.#replicas.get(name)?.copies.size ?? 0;
  }

  /** What is asked of a document's copies, in reads per second: it is as hot as all of them together. */
  heatElsewhere(document: DocumentName): number {
    if (this.#documents.get(document) === undefined) return 0;
    let heat = 0;
    for (const { copies } of this.#replicas.values()) heat += copies.get(document)?.heat ?? 0;
    return heat;
  }

  /** Where readers of a document are sent, host:port: copies that are ready. */
  copiesOf(document: DocumentName): readonly string[] {
    return this.#documents.get(document) ?? NOWHERE;
  }

  /** Decides anew. The orders that follow from it. */
  tick(): Order[] {
    for (const [document, wanted] of this.#host.hot()) this.#spread(document, wanted);
    for (const [document] of [...this.#documents.entries()]) {
      if (this.#host.copiesWanted(document) === 0) this.#retire(document);
    }
    return this.#takeOrders();
  }

  #spread(document: DocumentName, wanted: number): void {
    if (this.#replicas.size === 0) return;
    const chosen = this.#choose(document, wanted);
    if (this.#documents.get(document) === undefined) this.#documents.set(document, NOWHERE);
    for (const replica of chosen) this.#hold(replica, document);
    const areReady = chosen.every(({ copies }) => copies.get(document)?.ready === true);
    if (!areReady) return;
    for (const replica of this.#replicas.values()) {
      if (!chosen.includes(replica)) this.#release(replica, document);
    }
  }

  /** The replicas with the highest weight for a document. */
  #choose(document: DocumentName, count: number): Replica[] {
    const all = [...this.#replicas.values()].map((replica) => ({
      replica,
      weight: weightOf(document, replica.place.name),
    }));
    all.sort(
      (a, b) => b.weight - a.weight || (a.replica.place.name < b.replica.place.name ? -1 : 1),
    );
    return all.slice(0, count).map(({ replica }) => replica);
  }

  #hold(replica: Replica, document: DocumentName): void {
    const { copies } = replica;
    if (copies.get(document) !== undefined || copies.size >= this.#host.ordersMax) return;
    copies.set(document, { ready: false, heat: 0 });
    replica.hold.push({ space: document.space, key: document.key });
  }

  #release(replica: Replica, document: DocumentName): void {
    if (!replica.copies.delete(document)) return;
    replica.release.push({ space: document.space, key: document.key });
    this.#tellReady(document);
  }

  #retire(document: DocumentName): void {
    for (const replica of this.#replicas.values()) this.#release(replica, document);
    if (this.copiesOf(document).length > 0) this.#host.copiesChanged(document);
    this.#documents.delete(document);
  }

  #tellReady(document: DocumentName): void {
    const before = this.#documents.get(document);
    if (before === undefined) return;
    const ready = [...this.#replicas.values()]
      .filter(({ copies }) => copies.get(document)?.ready === true)
      .map(({ place }) => place.address)
      .sort();
    if (ready.join() === before.join()) return;
    this.#documents.set(document, ready);
    this.#host.copiesChanged(document);
  }

  #takeOrders(): Order[] {
    const orders: Order[] = [];
    for (const [name, replica] of this.#replicas) {
      const { hold, release } = replica;
      if (hold.length + release.length === 0) continue;
      orders.push({ replica: name, hold, release });
      replica.hold = [];
      replica.release = [];
    }
    return orders;
  }
}

/** A number that is drawn by both names, from 0 to 2^32: FNV-1a with the final mix of MurmurHash3. */
export function weightOf({ space, key }: DocumentName, replica: string): number {
  let hash = 0x811c9dc5;
  for (const text of [space, key, replica]) {
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    }
    hash = Math.imul(hash ^ 0xffff, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
