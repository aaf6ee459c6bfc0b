// The replicas that have offered themselves to this process, for as long as they report: what is decided for them
// (offers.ts) goes to each as orders.

import type { Limits } from '@deltabase/base';
import type { DocumentName } from '../documents/document-name.js';
import type { CopyReport, ReplicaPlace } from '../replica/replica-ports.js';
import { type Failure, failure, overloaded } from '../results.js';

/** Where orders for one replica go. */
export interface OrdersSink {
  /** It is to keep these documents, and no longer those. */
  ordered(hold: readonly DocumentName[], release: readonly DocumentName[]): void;
  /** It is not taken for attached any more. */
  ended(why: Failure): void;
}

/** What one replica may do. */
export interface Attached {
  report(copies: readonly CopyReport[]): void;
  detach(): void;
}

/** Takes replicas that offer themselves. */
export interface ReplicaRegistry {
  attach(place: ReplicaPlace, sink: OrdersSink): Attached;
}

/** Tells where else documents may be read and watched. */
export interface CopyDirectory extends ReplicaRegistry {
  /** host:port of copies that are ready; none, if readers should stay. */
  copiesOf(document: DocumentName): readonly string[];
  /** Calls `listener` with a document whose copies are others than before. Returns how to stop it. */
  followCopies(listener: (document: DocumentName) => void): () => void;
}

/** A replica as operators see it. */
export interface ReplicaListing extends ReplicaPlace {
  /** Documents that it was told to keep copies of. */
  readonly copies: number;
}

/** What is decided for a replica. */
export interface Order {
  readonly replica: string;
  readonly hold: readonly DocumentName[];
  readonly release: readonly DocumentName[];
}

/** Who decides (offers.ts). */
export interface OrderSource {
  attach(place: ReplicaPlace): void;
  detach(name: string): void;
  report(name: string, copies: readonly CopyReport[]): void;
  /** Documents that a replica was told to keep. */
  orderCount(name: string): number;
  tick(nowMs: number): Iterable<Order>;
}

export interface AttachedReplicasHost {
  readonly limits: Pick<Limits, 'replicasMax'>;
  readonly offers: OrderSource;
  nowMs(): number;
  inTurn(step: () => void): void;
}

interface Entry {
  readonly place: ReplicaPlace;
  readonly sink: OrdersSink;
  reportedMs: number;
}

/** A replica that has said nothing for so long is lost. */
const SILENT_MS = 3000;

export class AttachedReplicas implements ReplicaRegistry {
  readonly #host: AttachedReplicasHost;
  readonly #byName = new Map<string, Entry>();

  constructor(host: AttachedReplicasHost) {
    this.#host = host;
  }

  get count(): number {
    return this.#byName.size;
  }

  list(): ReplicaListing[] {
    return [...this.#byName.values()].map(({ place }) => ({
      copies: this.#host.offers.orderCount(place.name),
      ...place,
    }));
  }

  /** Takes a replica; one that had its name before is taken for gone: it is its past life, or must find another. */
  attach(place: ReplicaPlace, sink: OrdersSink): Attached {
    const entry: Entry = { place, sink, reportedMs: 0 };
    this.#host.inTurn(() => this.#attach(entry));
    const when = (step: () => void): void =>
      this.#host.inTurn(() => {
        if (this.#byName.get(place.name) === entry) step();
      });
    return {
      report: (copies) =>
        when(() => {
          entry.reportedMs = this.#host.nowMs();
          this.#host.offers.report(place.name, copies);
        }),
      detach: () => when(() => this.#remove(entry)),
    };
  }

  tick(nowMs: number): void {
    for (const entry of this.#byName.values()) {
      if (nowMs - entry.reportedMs <= SILENT_MS) continue;
      this.#remove(entry);
      entry.sink.ended(failure('UNAVAILABLE', 'the replica has said nothing for too long'));
    }
    for (const { replica, hold, release } of this.#host.offers.tick(nowMs)) {
      this.#byName.get(replica)?.sink.ordered(hold, release);
    }
  }

  close(why: Failure): void {
    for (const { sink } of this.#byName.values()) sink.ended(why);
    this.#byName.clear();
  }

  #attach(entry: Entry): void {
    const { name } = entry.place;
    const before = this.#byName.get(name);
    if (before !== undefined) {
      this.#remove(before);
      before.sink.ended(failure('INVALID_ARGUMENT', `another replica has the name ${name} now`));
    }
    const { replicasMax } = this.#host.limits;
    if (this.#byName.size >= replicasMax) {
      entry.sink.ended(overloaded(`${replicasMax} replicas are attached here: attach elsewhere`));
      return;
    }
    entry.reportedMs = this.#host.nowMs();
    this.#byName.set(name, entry);
    this.#host.offers.attach(entry.place);
  }

  #remove({ place }: Entry): void {
    this.#byName.delete(place.name);
    this.#host.offers.detach(place.name);
  }
}
