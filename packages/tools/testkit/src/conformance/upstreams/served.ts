// The process at the other end: its documents and its list of replicas do what a test says, and keep what they were asked.

import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import type {
  Attached,
  CopyReport,
  DocumentStreams,
  Failure,
  HeadsRequest,
  HeadsResult,
  OrdersSink,
  Origin,
  OriginFeed,
  ReplicaPlace,
  ReplicaRegistry,
  Watch,
  WatchRequest,
  WatchSink,
} from '@deltabase/engine';
import type { DeltaRecord } from '@deltabase/machine';
import type { ServedScript } from './under-test.js';

/** A watch as the process at the other end sees it. */
export interface ServedWatch {
  readonly request: WatchRequest;
  readonly sink: WatchSink;
  resumes: number;
}

/** An offer as the process at the other end sees it. */
export interface ServedOffer {
  readonly place: ReplicaPlace;
  readonly sink: OrdersSink;
  readonly reports: Array<readonly CopyReport[]>;
  isDetached: boolean;
}

/** A process whose documents do what the test says. */
export class Served implements DocumentStreams, ReplicaRegistry, ServedScript {
  readonly limits: Limits = {
    ...DEFAULT_LIMITS,
    watchesPerStreamMax: 2,
  };
  readonly streams = this;
  readonly registry = this;
  readonly offers: ServedOffer[] = [];
  nodeAddresses: readonly string[] = [];
  readonly watches: ServedWatch[] = [];
  readonly questions: Array<{
    readonly request: HeadsRequest;
    readonly answer: (result: HeadsResult | Failure) => void;
  }> = [];
  /** What was begun and cancelled, in order. */
  readonly events: string[] = [];
  /** History by key. */
  readonly records = new Map<string, readonly DeltaRecord[] | Failure>();
  #current: Origin = { via: ['r7'], live: true };
  readonly #listeners = new Set<() => void>();

  readonly origin: OriginFeed = (() => {
    const self = this;
    return {
      get current() {
        return self.#current;
      },
      listen(listener: () => void) {
        self.#listeners.add(listener);
        return () => self.#listeners.delete(listener);
      },
    };
  })();

  watch(request: WatchRequest, sink: WatchSink): Watch {
    const watch: ServedWatch = { request, sink, resumes: 0 };
    this.watches.push(watch);
    this.events.push(`watch ${request.key}`);
    return {
      resume: () => watch.resumes++,
      carry: () => {},
      cancel: () => void this.events.push(`cancel ${request.key}`),
    };
  }

  heads(request: HeadsRequest, answer: (result: HeadsResult | Failure) => void): void {
    this.questions.push({ request, answer });
  }

  attach(place: ReplicaPlace, sink: OrdersSink): Attached {
    const offer: ServedOffer = { place, sink, reports: [], isDetached: false };
    this.offers.push(offer);
    return {
      report: (copies) => void offer.reports.push(copies),
      detach() {
        offer.isDetached = true;
      },
    };
  }

  nodes(): readonly string[] {
    return this.nodeAddresses;
  }

  read(): never {
    throw new Error('nobody reads here');
  }

  history({ key }: { readonly key: string }, fromSeq: number): readonly DeltaRecord[] | Failure {
    const records = this.records.get(key) ?? [];
    if ('code' in records) return records;
    return records.slice(fromSeq - 1, fromSeq + 1);
  }

  tellOrigin(origin: Origin): void {
    this.#current = origin;
    for (const listener of this.#listeners) listener();
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }
}
