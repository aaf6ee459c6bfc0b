// A replica: a process that holds live copies and serves reads and watches of them; it votes in nothing, keeps
// nothing on disk, and runs no logic (OnlyLeadersRunLogic). Its copies come from an upstream, a node or another
// replica, delta by delta. Whoever reads here sees what the same read of a node could have seen (CommittedOnly):
// linearizable reads ask the leader, through the upstream, how far the copy must be.

import type { Limits } from '@deltabase/base';
import { nameProblem } from '../check-message.js';
import type { DocumentName } from '../documents/document-name.js';
import type { Attached, CopyDirectory, OrdersSink } from '../heat/attached-replicas.js';
import { type HotDocument, ReadLoad } from '../heat/read-load.js';
import type { SheddingCounters } from '../heat/shedding.js';
import { type Failure, failure } from '../results.js';
import { beginInTurn, watchInTurn } from '../streams/begin-in-turn.js';
import type { DocumentStreams } from '../streams/document-streams.js';
import { Heads, type HeadsRequest, type HeadsResult } from '../streams/heads.js';
import { type OpenRead, type ReadRequest, type ReadResult, Reads } from '../streams/reads.js';
import type { Watch, WatchSink } from '../streams/watcher.js';
import { Watches, type WatchRequest } from '../streams/watches.js';
import { TurnLoop } from '../turn-loop.js';
import type { Usage } from '../usage.js';
import { Attachments } from './attachments.js';
import { Copies } from './copies.js';
import { CopySource } from './copy-source.js';
import { Following } from './following.js';
import type { LiveCopy } from './live-copy.js';
import type { CopyReport, ReplicaPlace, ReplicaPorts } from './replica-ports.js';

export interface ReplicaConfig {
  /** Its own name, which no other replica has: replicas know themselves by it in a circle. */
  readonly name: string;
  /** host:port of processes to get copies from, at least one; tried in turn. */
  readonly upstreams: readonly string[];
  /**
   * Where clients reach it, host:port: with it, it offers itself to its upstreams and the nodes that these know, keeps copies of what is
   * hot there, and gets their readers; `undefined`: it serves who comes by himself.
   */
  readonly address?: string | undefined;
  readonly limits: Limits;
}

/** What a replica does at this moment. */
export interface ReplicaStatus extends SheddingCounters {
  readonly name: string;
  readonly uptimeMs: number;
  /** host:port; `undefined`: none leads to a node now. */
  readonly upstream: string | undefined;
  /** The replicas between this one and the cluster, the next one first. */
  readonly via: readonly string[];
  readonly copies: number;
  readonly copiesBytes: number;
  readonly watches: number;
  /** Reads of a document as it is that were answered, and events that watchers were given. */
  readonly readsAnswered: number;
  readonly eventsDelivered: number;
  /** Documents that are read or watched here so much that they should have more copies. */
  readonly documentsHot: number;
  /** Processes that it has offered itself to, and documents that these have it keep. */
  readonly attachments: number;
  readonly orders: number;
  /** Times that it went to an upstream. */
  readonly connections: number;
  /** Times that a copy began anew, since what came did not lead on from it. */
  readonly resyncs: number;
  /** Copies that it has let go of because nobody used them, or others needed the room. */
  readonly evictions: number;
}

const TICK_MS = 100;

export class Replica implements DocumentStreams, CopyDirectory {
  readonly #ports: ReplicaPorts;
  readonly #config: ReplicaConfig;
  readonly #startedMs: number;
  readonly #loop: TurnLoop;
  readonly #copies: Copies;
  readonly #following: Following;
  readonly #readLoad: ReadLoad;
  readonly #reads: Reads;
  readonly #watches: Watches;
  readonly #heads: Heads;
  readonly #attachments: Attachments | undefined;
  readonly #stopTicks: () => void;
  readonly #originListeners = new Set<() => void>();
  #isStopped = false;

  constructor(ports: ReplicaPorts, config: ReplicaConfig) {
    const { clock, random, upstreams, log } = ports;
    const { name, limits } = config;
    this.#ports = ports;
    this.#config = config;
    this.#startedMs = clock.monotonicMs();
    this.#loop = new TurnLoop(clock, () => this.#turn());
    const nowMs = (): number => clock.monotonicMs();
    const wake = (): void => this.#loop.wake();
    const inTurn = (step: () => void): void => this.#loop.enqueue(step);
    const sourceOf = (of: DocumentName): CopySource =>
      new CopySource(of, this.#copies, this.#following);
    this.#readLoad = new ReadLoad({
      ...{ limits, nowMs, inTurn },
      takeLongestWait: () => this.#loop.takeLongestWait(),
    });
    const { heat, shedding } = this.#readLoad;
    this.#reads = new Reads({ limits, heat, shedding, nowMs, wake });
    this.#watches = new Watches({
      ...{ limits, heat, shedding, nowMs, inTurn, wake },
      after: (delayMs, run) => clock.after(delayMs, () => inTurn(run)),
    });
    this.#heads = new Heads({ limits, nowMs, sourceOf });
    this.#copies = new Copies({
      ...{ limits, nowMs },
      opened: (copy) => this.#following.follow(copy),
      dropped: (copy, why) => this.#following.unfollow(copy, why),
      overdue: (copy) => this.#failed(copy, overdue(copy)),
    });
    this.#following = new Following({
      ...{ name, limits, upstreams, clock, random, log, inTurn, wake },
      addresses: config.upstreams,
      all: () => this.#copies.all(),
      changed: (copy) => this.#changed(copy),
      failed: (copy, why) => this.#failed(copy, why),
      reset: (copy, why) => this.#watches.endAll(copy, why),
      unreachable: (why) => this.#reads.cutOff(why),
      cutOff: (why) => this.#watches.close(why),
      originChanged: () => {
        for (const listener of this.#originListeners) listener();
      },
    });
    this.#attachments = this.#offerTo(config);
    this.#stopTicks = clock.every(TICK_MS, () => inTurn(() => this.#tick()));
  }

  read(request: ReadRequest, answer: (result: ReadResult) => void): OpenRead {
    return beginInTurn(this.#loop, answer, {
      begin: () =>
        this.#nameProblem(request) ?? this.#reads.begin(this.#sourceOf(request), request, answer),
      stopping,
    });
  }

  watch(request: WatchRequest, sink: WatchSink): Watch {
    return watchInTurn(this.#loop, sink, {
      begin: () =>
        this.#nameProblem(request) ?? this.#watches.begin(this.#sourceOf(request), request, sink),
      stopping,
    });
  }

  heads(request: HeadsRequest, answer: (result: HeadsResult | Failure) => void): void {
    this.#loop.enqueue(
      () => this.#heads.ask(request, answer),
      () => answer(stopping()),
    );
  }

  attach(place: ReplicaPlace, sink: OrdersSink): Attached {
    return this.#readLoad.replicas.attach(place, sink);
  }

  copiesOf(document: DocumentName): readonly string[] {
    return this.#readLoad.copiesOf(document);
  }

  followCopies(listener: (document: DocumentName) => void): () => void {
    return this.#readLoad.followCopies(listener);
  }

  /** Keeps a copy of the document from now on, whether anybody asks for it or not, as far as there is room. */
  hold(name: DocumentName): void {
    this.#loop.enqueue(() => this.#copies.hold(name));
  }

  /** Where its copies come from: this replica first, and whether there is a node at the end. */
  get origin(): { readonly via: readonly string[]; readonly live: boolean } {
    const { upstream, via } = this.#following;
    return { via: [this.#config.name, ...via], live: upstream !== undefined };
  }

  /** Calls `listener` when its origin has changed. Returns how to stop it. */
  followOrigin(listener: () => void): () => void {
    this.#originListeners.add(listener);
    return () => this.#originListeners.delete(listener);
  }

  /** The documents with the most heat of this replica, the hottest first, at most so many. */
  hottest(count: number): HotDocument[] {
    return this.#readLoad.hottest(count);
  }

  status(): ReplicaStatus {
    const { upstream, via, counters } = this.#following;
    return {
      name: this.#config.name,
      uptimeMs: this.#ports.clock.monotonicMs() - this.#startedMs,
      ...{ upstream, via },
      copies: this.#copies.count,
      copiesBytes: this.#copies.bytes,
      watches: this.#watches.count,
      readsAnswered: this.#readLoad.heat.reads,
      eventsDelivered: this.#readLoad.heat.deliveries,
      documentsHot: this.#readLoad.heat.hotCount,
      ...this.#readLoad.shedding.counters,
      attachments: this.#attachments?.count ?? 0,
      orders: this.#attachments?.orders ?? 0,
      connections: counters.connections,
      resyncs: counters.resyncs,
      evictions: this.#copies.evictions,
    };
  }

  /** How much of each limit of memory is used. */
  usage(): Usage[] {
    const all: Array<Omit<Usage, 'group'>> = [
      { limit: 'residentBytesMax', used: this.#copies.bytes },
      { limit: 'readQueueMax', used: Math.max(this.#reads.openCount, this.#heads.openCount) },
      { limit: 'watchesPerNodeMax', used: this.#watches.count },
      { limit: 'watchVersionsBytesMax', used: this.#watches.heldVersionsBytes },
      { limit: 'heatDocumentsMax', used: this.#readLoad.heat.documentCount },
      { limit: 'watchStepsBytesMax', used: this.#watches.keptStepsBytes },
    ];
    return all.map((usage) => ({ group: undefined, ...usage }));
  }

  /** Takes no more reads and watches; what it took is answered. */
  drain(): void {
    this.#loop.enqueue(() => {
      this.#reads.drain();
      this.#watches.drain();
    });
  }

  /** Stops at once and answers whatever is open with UNAVAILABLE. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#stopTicks();
    this.#loop.stop();
    this.#following.close();
    this.#attachments?.close();
    this.#watches.close(stopping());
    this.#reads.close(stopping());
    this.#heads.close(stopping());
    this.#readLoad.close(stopping());
    this.#originListeners.clear();
  }

  #offerTo({ name, address, upstreams, limits }: ReplicaConfig): Attachments | undefined {
    if (address === undefined) return undefined;
    const { clock, random, log } = this.#ports;
    return new Attachments({
      ...{ clock, random, log },
      place: { name, address },
      addresses: upstreams,
      upstreams: this.#ports.upstreams,
      attachmentsMax: limits.replicasMax,
      ordersMax: limits.ordersMax,
      inTurn: (step) => this.#loop.enqueue(step),
      hold: (document) => this.#copies.hold(document),
      release: (document) => this.#copies.release(document),
      reportOf: (document) => this.#reportOf(document),
    });
  }

  #reportOf(name: DocumentName): CopyReport {
    const hasState = this.#copies.find(name)?.document !== undefined;
    const ready = hasState && this.#following.upstream !== undefined;
    const { readsPerSecond, deliveriesPerSecond, bytesPerSecond } =
      this.#readLoad.heat.rateOf(name);
    return {
      ...{ ready, deliveriesPerSecond, bytesPerSecond },
      // Those of replicas that it feeds are of every kind; they are told as reads.
      readsPerSecond: readsPerSecond + this.#readLoad.heatElsewhere(name),
      ...name,
    };
  }

  #sourceOf(name: DocumentName): CopySource {
    return new CopySource(name, this.#copies, this.#following);
  }

  #nameProblem({ space, key }: DocumentName): Failure | undefined {
    return nameProblem(space, key, this.#config.limits);
  }

  #changed(copy: LiveCopy): void {
    this.#copies.changed(copy);
    this.#following.applied(copy);
    this.#watches.changed(copy);
    this.#reads.changed(copy);
  }

  #failed(copy: LiveCopy, why: Failure): void {
    this.#copies.drop(copy, why);
    this.#watches.endAll(copy, why);
    // Who waits for a seq of it looks for another copy.
    this.#reads.replaced([copy]);
    copy.settle(why);
  }

  #turn(): void {
    this.#readLoad.heat.advance(this.#ports.clock.monotonicMs());
    this.#reads.turn();
    this.#following.turn();
    this.#watches.turn();
  }

  #tick(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#readLoad.tick(nowMs);
    this.#reads.tick(nowMs);
    this.#heads.tick(nowMs);
    this.#following.tick(nowMs);
    this.#copies.tick(nowMs);
    this.#attachments?.tick(nowMs);
  }
}

function overdue({ space, key }: DocumentName): Failure {
  const why = `no upstream of this replica has given ${space}/${key} in time: ask another process`;
  return failure('UNAVAILABLE', why);
}

function stopping(): Failure {
  return failure('UNAVAILABLE', 'this replica stops: use another process');
}
