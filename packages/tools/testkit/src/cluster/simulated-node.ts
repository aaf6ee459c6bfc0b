// One node of a simulated cluster through all its lives: an engine on a disk, a network and clocks that may each go
// wrong, and a process that crashes, stalls and is started again.

import { DEFAULT_LIMITS, DeltabaseError, type Limits, type Prng } from '@deltabase/base';
import {
  DEFAULT_TIMING,
  type Disk,
  type DiskOperation,
  type Engine,
  type EngineConfig,
  type Failure,
  type Lane,
  type MachineHost,
  type Member,
  type Network,
  NODE_ORIGIN,
  type NodeId,
  type ReplicaStatus,
  startEngine,
} from '@deltabase/engine';
import type { DeltaRecord } from '@deltabase/machine';
import {
  followWrites,
  LevelStorage,
  MemoryStorage,
  type NodeStorage,
} from '../disk/node-storage.js';
import type { SortedMap } from '../disk/sorted-map.js';
import { type SimulatedNetwork, simulatedPeerAddress } from '../network/simulated-network.js';
import type { Simulation } from '../sim/simulation.js';
import { readPages } from '../upstream/read-pages.js';
import type { ServedProcess } from '../upstream/served-process.js';
import type { NodeClock } from './node-clock.js';
import { SimulatedProcess } from './simulated-process.js';

/** What the nodes of a cluster are made with. */
export interface NodeOptions {
  readonly groups: number;
  /** A host for a node; `soon` is its clock's. */
  readonly machines: (soon: (run: () => void) => void) => MachineHost;
  readonly limits?: Partial<Limits>;
  /** Disks in memory (the default), or the driver for LevelDB on simulated files. */
  readonly storage?: 'memory' | 'level';
  /** Told of every log line. */
  readonly trace?: (line: string) => void;
  readonly observer?: ClusterObserver;
}

/** What checkers are told of as it happens. */
export interface ClusterObserver {
  /** A node sends a frame, which may be lost. */
  readonly sent?: (from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array) => void;
  /** A batch of a node is on stable storage. */
  readonly durable?: (id: NodeId, batch: readonly DiskOperation[]) => void;
  /** A node finds other rows on its disk than it wrote. */
  readonly replaced?: (id: NodeId, rows: SortedMap) => void;
  /** The engine of a node has taken a turn. */
  readonly worked?: (id: NodeId, life: number, engine: Engine) => void;
  /** A disk has failed, and with it its node. */
  readonly failed?: (id: NodeId, error: DeltabaseError | undefined) => void;
  /** A node does not start, because of what its disk holds. Unless this is given, that is thrown. */
  readonly refused?: (id: NodeId, error: DeltabaseError) => void;
  /** A node has ended because the cluster has expelled it. */
  readonly expelled?: (id: NodeId, why: DeltabaseError) => void;
  /** A life of a replica is about to end. */
  readonly replicaEnding?: (status: ReplicaStatus) => void;
}

/** How a node begins where its disk is empty: as one of the first, or as one that joins. */
export type Beginning = Pick<EngineConfig, 'members' | 'join'>;

/** A node of a simulation, and where it is there. */
export function simulatedMember(node: NodeId): Member {
  return { node, peerAddress: simulatedPeerAddress(node), clientAddress: `client-${node}:1` };
}

/** What nodes share. */
export interface NodeSurroundings {
  readonly options: NodeOptions;
  readonly simulation: Simulation;
  readonly network: SimulatedNetwork;
  /** A life of a node offers what it has at an address, or has ended. */
  serve(address: string, process: ServedProcess): void;
  unserve(address: string): void;
  /** Decides about disks. */
  readonly chance: Prng;
  /** The longest delay of a write, ms. */
  readonly weather: { readonly writeMsMax: number };
}

const READ_MS = 0.05;

export class SimulatedNode {
  readonly id: NodeId;
  readonly storage: NodeStorage;
  /** Where replicas and clients reach it. */
  readonly address: string;
  readonly #around: NodeSurroundings;
  readonly #observer: ClusterObserver;
  readonly #process: SimulatedProcess;
  #engine: Engine | undefined;
  /** Why its disk ended the last life. */
  #failure: DeltabaseError | undefined;
  #expulsion: DeltabaseError | undefined;

  constructor(id: NodeId, around: NodeSurroundings) {
    this.id = id;
    this.address = simulatedMember(id).clientAddress;
    this.#around = around;
    this.#observer = around.options.observer ?? {};
    this.storage = around.options.storage === 'level' ? new LevelStorage() : new MemoryStorage();
    const { simulation, options } = around;
    this.#process = new SimulatedProcess({ simulation, name: `n${id}`, trace: options.trace });
  }

  get clock(): NodeClock {
    return this.#process.clock;
  }

  /** `undefined` unless it is up. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  /** Whether it was started and has not ended; it may still be reading its disk. */
  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  /** Why the cluster has expelled it; `undefined`: it has not, or not told it yet. */
  get expulsion(): DeltabaseError | undefined {
    return this.#expulsion;
  }

  /** Counts the times it was started or ended: events of an earlier life are void. */
  get life(): number {
    return this.#process.life;
  }

  /**
   * Begins a life on what its disk holds. What keeps it from starting is thrown by the simulation, unless there is an
   * observer for that.
   */
  start(beginning: Beginning): void {
    const { simulation, chance, weather } = this.#around;
    const life = this.#process.begin();
    const delay = (kind: 'write' | 'read', run: () => void): void => {
      const delayMs = kind === 'write' ? chance.fraction() * weather.writeMsMax : READ_MS;
      simulation.schedule(delayMs, () => this.#live(life, run));
    };
    const fatal = (error: DeltabaseError | undefined): void => this.#diskFailed(error);
    this.storage.open({ delay, fatal }, (disk) => {
      if (disk instanceof DeltabaseError) this.#refuse(disk);
      else this.#startEngine(disk, beginning);
    });
  }

  /**
   * Ends a life at once. What the disk had acknowledged stays; a batch in flight is lost, or `kept` though nobody
   * was told.
   */
  crash(inFlight: 'lost' | 'kept'): void {
    const kept = this.storage.end(inFlight);
    if (kept !== undefined) this.#observer.durable?.(this.id, kept);
    this.#process.end();
    this.#engine = undefined;
    this.#around.network.detach(this.id);
    this.#around.unserve(this.address);
  }

  /** It does nothing until `resume`, while its clocks go on. */
  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  /** What comes over a connection. */
  reach(use: (engine: Engine) => void): void {
    this.#live(this.life, () => {
      if (this.#engine !== undefined) use(this.#engine);
    });
  }

  #startEngine(disk: Disk, beginning: Beginning): void {
    const { simulation, options, network } = this.#around;
    const { durable } = this.#observer;
    const { life } = this;
    const clock = this.#process.clockPort(
      (run) => this.#live(life, run),
      (run) => this.#work(life, run),
    );
    const told = (batch: readonly DiskOperation[]): void => durable?.(this.id, batch);
    const ports = {
      clock,
      random: simulation.random.fork(`node ${this.id} life ${life}`),
      disk: durable === undefined ? disk : followWrites(disk, { done: told }),
      network: this.#network(life),
      machines: options.machines((run) => clock.soon(run)),
      log: this.#process.log(),
    };
    const config = {
      cluster: 'sim',
      node: this.id,
      ...beginning,
      groups: options.groups,
      timing: DEFAULT_TIMING,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
    };
    const started = (engine: Engine | DeltabaseError): void => {
      if (engine instanceof DeltabaseError) {
        this.#refuse(engine);
        return;
      }
      this.#engine = engine;
      network.connect(this.id);
      this.#serve(engine);
    };
    startEngine(ports, config, started, (why) => this.#expelled(why));
  }

  #expelled(why: DeltabaseError): void {
    this.#expulsion = why;
    this.crash('lost');
    this.#observer.expelled?.(this.id, why);
  }

  #refuse(error: DeltabaseError): void {
    const { refused } = this.#observer;
    // It had written that down, and crashed before it could end with it.
    if (error.code === 'NODE_REMOVED') this.#expulsion ??= error;
    this.crash('lost');
    if (refused === undefined) throw error;
    refused(this.id, error);
  }

  #diskFailed(error: DeltabaseError | undefined): void {
    this.#failure = error;
    this.crash(this.#around.chance.below(2) === 0 ? 'kept' : 'lost');
    this.#observer.failed?.(this.id, error);
  }

  /** Runs an event of a life: not at all if that has ended, later if the node is stalled. */
  #live(life: number, run: () => void): void {
    this.#process.enter(life, () => this.#run(life, run));
  }

  /** An engine works in what it has called back soon. */
  #work(life: number, run: () => void): void {
    this.#process.enterSoon(life, () => {
      this.#run(life, run);
      if (this.#engine === undefined || this.life !== life) return;
      this.#observer.worked?.(this.id, life, this.#engine);
    });
  }

  #run(life: number, run: () => void): void {
    try {
      run();
    } catch (thrown) {
      // A read of the log has met a damaged row: the process has ended, and what it was doing with it.
      if (this.life === life || thrown !== this.#failure) throw thrown;
    }
  }

  #network(life: number): Network {
    const attached = this.#around.network.attach(this.id);
    return {
      ...attached,
      listen: (listener) =>
        attached.listen({
          received: (from, lane, frame) =>
            this.#live(life, () => listener.received(from, lane, frame)),
          reachable: (peer, is) => this.#live(life, () => listener.reachable(peer, is)),
          met: (node, address) => this.#live(life, () => listener.met(node, address)),
        }),
    };
  }

  /** Offers what an engine has to replicas. */
  #serve(engine: Engine): void {
    const { life, clock } = this;
    this.#around.serve(this.address, {
      streams: engine,
      registry: engine,
      origin: NODE_ORIGIN,
      limits: engine.config.limits,
      nodes: () => engine.members().members.map(({ clientAddress }) => clientAddress),
      nowMs: () => clock.monotonicMs,
      enter: (run) => this.#live(life, run),
      readDeltas: (name, range, done) =>
        readPages((fromSeq, answer) => readPage(engine, { ...name, fromSeq }, answer), range, done),
    });
  }
}

/** A page of what a node lists of a document's history. */
function readPage(
  engine: Engine,
  request: Parameters<Engine['history']>[0],
  answer: (page: readonly DeltaRecord[] | Failure) => void,
): void {
  engine.history(request, (page) => {
    if (page.kind === 'failed') answer(page);
    else answer(page.deltas);
  });
}
