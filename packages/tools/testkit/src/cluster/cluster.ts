// Simulated nodes of one cluster, and what can go wrong between and with them.

import { DEFAULT_LIMITS, type DeltabaseError, type Prng } from '@deltabase/base';
import type { Engine, Lane, NodeId } from '@deltabase/engine';
import { LevelStorage, MemoryStorage } from '../disk/node-storage.js';
import type { WriteFault } from '../disk/simulated-level.js';
import type { SortedMap } from '../disk/sorted-map.js';
import type { LinkState } from '../network/link.js';
import {
  CALM_NETWORK,
  type NetworkWeather,
  SimulatedNetwork,
} from '../network/simulated-network.js';
import { Simulation } from '../sim/simulation.js';
import type { StreamWeather } from '../upstream/pipe.js';
import type { Learning } from '../upstream/simulated-stream.js';
import { CALM_STREAMS, SimulatedUpstreams } from '../upstream/simulated-upstreams.js';
import type { Server } from './server.js';
import {
  type Beginning,
  type ClusterObserver,
  type NodeOptions,
  type NodeSurroundings,
  SimulatedNode,
  simulatedMember,
} from './simulated-node.js';
import { type ReplicaOptions, SimulatedReplica } from './simulated-replica.js';

export interface ClusterOptions extends NodeOptions {
  readonly seed: number;
  readonly nodes: number;
}

/** How frames and writes fare; change it between events. */
export interface Weather extends NetworkWeather {
  /** Longest delay of a write, ms. */
  writeMsMax: number;
}

export const CALM: Weather = { ...CALM_NETWORK, writeMsMax: 2 };

export class Cluster {
  readonly simulation: Simulation;
  readonly weather: Weather = { ...CALM };
  /** Streams between replicas and what they follow, and how these fare. */
  readonly upstreams: SimulatedUpstreams;
  readonly streamWeather: StreamWeather = { ...CALM_STREAMS };
  /** In the order in which they were added. */
  readonly replicas: SimulatedReplica[] = [];
  /** The nodes that it began with. */
  readonly founders: readonly NodeId[];
  readonly #nodes: Map<NodeId, SimulatedNode>;
  /** What the nodes that joined began with. */
  readonly #tickets = new Map<NodeId, Beginning>();
  readonly #around: NodeSurroundings;
  readonly #network: SimulatedNetwork;
  readonly #observer: ClusterObserver | undefined;
  /** Decides about streams. */
  readonly #streamChance: Prng;

  constructor(options: ClusterOptions) {
    const simulation = new Simulation(options.seed);
    const { weather } = this;
    const network = new SimulatedNetwork({
      simulation,
      weather,
      chance: simulation.random.fork('network'),
      frameBytesMax: options.limits?.peerFrameBytesMax ?? DEFAULT_LIMITS.peerFrameBytesMax,
      sent: (from, to, lane, frame) => options.observer?.sent?.(from, to, lane, frame),
    });
    this.#streamChance = simulation.random.fork('streams');
    this.upstreams = new SimulatedUpstreams({
      simulation,
      weather: this.streamWeather,
      chance: this.#streamChance,
    });
    const chance = simulation.random.fork('disk');
    this.#around = {
      ...{ options, simulation, network, chance, weather },
      serve: (address, process) => this.upstreams.serve(address, process),
      unserve: (address) => this.upstreams.unserve(address, () => this.#drawLearning()),
    };
    this.simulation = simulation;
    this.#network = network;
    this.#observer = options.observer;
    this.founders = Array.from({ length: options.nodes }, (_, at) => at + 1);
    this.#nodes = new Map(this.founders.map((id) => [id, new SimulatedNode(id, this.#around)]));
  }

  /** The nodes there are, running or not: the first ones and those that joined, without those that know they are expelled. */
  get ids(): readonly NodeId[] {
    return [...this.#nodes.values()].flatMap(({ id, expulsion }) =>
      expulsion === undefined ? [id] : [],
    );
  }

  /** All nodes that ever were, expelled ones among them. */
  get everyId(): readonly NodeId[] {
    return [...this.#nodes.keys()];
  }

  /** Why the cluster has expelled a node, which has ended with that; `undefined`: it has not, or not told it yet. */
  expulsionOf(id: NodeId): DeltabaseError | undefined {
    return this.#node(id).expulsion;
  }

  /** The engine of a node that runs. */
  engine(id: NodeId): Engine {
    const { engine } = this.#node(id);
    if (engine === undefined) throw new Error(`node ${id} does not run`);
    return engine;
  }

  isUp(id: NodeId): boolean {
    return this.#node(id).engine !== undefined;
  }

  /** What comes to a node that runs over a connection: later if it stands still, and not at all if it ends before. */
  reach(id: NodeId, use: (engine: Engine) => void): void {
    this.#node(id).reach(use);
  }

  /** Whether a node was started and has not ended; it may still be reading its disk. */
  isRunning(id: NodeId): boolean {
    return this.#node(id).isRunning;
  }

  /** Counts the times a node was started or ended: who meets another number meets another life. */
  lifeOf(id: NodeId): number {
    return this.#node(id).life;
  }

  /** Engines of the nodes that run. */
  engines(): Engine[] {
    return this.ids.filter((id) => this.isUp(id)).map((id) => this.engine(id));
  }

  /** Adds a replica, which is not started yet. */
  addReplica(options: ReplicaOptions): SimulatedReplica {
    const { simulation, upstreams } = this;
    const { trace, observer } = this.#around.options;
    const replica = new SimulatedReplica(options, {
      ...{ simulation, upstreams, trace },
      learning: () => this.#drawLearning(),
      ending: observer?.replicaEnding,
    });
    this.replicas.push(replica);
    return replica;
  }

  /** Every process that can be read and watched now: nodes first. */
  servers(): Server[] {
    return [...this.#nodes.values()].flatMap(serverOfNode).concat(this.replicas.flatMap(serverOf));
  }

  /** What a node's disk holds. */
  rows(id: NodeId): SortedMap {
    return this.#node(id).storage.rows;
  }

  /** Starts every node and waits until each group has a leader that all know. */
  start(): void {
    for (const id of this.ids) this.startNode(id);
    this.awaitLeaders();
  }

  awaitLeaders(): void {
    this.simulation.runUntil(() => {
      const [first, ...others] = this.engines().map((engine) => engine.leaders());
      if (first === undefined) return false;
      return first.every(
        (lead, group) => lead !== 0 && others.every((leaders) => leaders[group] === lead),
      );
    });
  }

  /**
   * Begins a life of a node; one of the first is configured with all of these, or others. One that joined and crashed
   * before anything was on its disk joins again.
   */
  startNode(id: NodeId, members = this.founders): void {
    const node = this.#node(id);
    const ticket = this.#tickets.get(id);
    if (ticket === undefined) node.start({ members: members.map(simulatedMember) });
    else if (node.storage.rows.size === 0) node.start(this.#ticketFrom(this.#anyUp) ?? ticket);
    else node.start({ members: [] });
  }

  /** Begins the first life of a node that was added to the members, with what a node that runs knows of the cluster. */
  joinNode(id: NodeId, through = this.#anyUp): void {
    const ticket = this.#ticketFrom(through);
    if (ticket === undefined) throw new Error(`node ${id} has no node to join the cluster through`);
    const node = new SimulatedNode(id, this.#around);
    this.#nodes.set(id, node);
    this.#tickets.set(id, ticket);
    node.start(ticket);
  }

  /**
   * Ends a node's life at once. What its disk had acknowledged stays; a batch in flight is lost, or `kept`
   * though nobody was told.
   */
  crash(id: NodeId, inFlight: 'lost' | 'kept' = 'lost'): void {
    this.#node(id).crash(inFlight);
  }

  /** Ends a node's life as a process does that is asked to: whatever is open is answered first. */
  stop(id: NodeId): void {
    this.engine(id).stop();
    this.crash(id);
  }

  /** A node does nothing until `resume`, while its clocks go on. */
  pause(id: NodeId): void {
    this.#node(id).pause();
  }

  resume(id: NodeId): void {
    this.#node(id).resume();
  }

  /** The node’s next write fails, and with it the node: its process ends at once. */
  failDisk(id: NodeId, fault: WriteFault = 'append'): void {
    this.#node(id).storage.failNextWrite(fault);
  }

  /** The node’s next write does not fail after all. */
  mendDisk(id: NodeId): void {
    this.#node(id).storage.failNextWrite(undefined);
  }

  /** The node’s disk hangs, on everything or on reads alone, or answers again: what was asked of it is done then. */
  setDisk(id: NodeId, state: 'hung' | 'reads-hang' | 'whole'): void {
    const { storage } = this.#node(id);
    if (state === 'whole') storage.release();
    else storage.hold(state === 'hung' ? ['write', 'read'] : ['read']);
  }

  /** Has the disk of a node that runs say that so much is left of it. */
  setFreeBytes(id: NodeId, bytes: number): void {
    this.#node(id).storage.setFreeBytes(bytes);
  }

  /** A node that does not run loses or finds other rows: what a test makes of them. For disks in memory. */
  replaceRows(id: NodeId, rows: SortedMap): void {
    const { isRunning, storage } = this.#node(id);
    if (isRunning || !(storage instanceof MemoryStorage)) throw new Error(`node ${id} runs`);
    storage.rows = rows;
    this.#observer?.replaced?.(id, rows);
  }

  /** What is in a node's data directory. For disks with files. */
  storage(id: NodeId): LevelStorage {
    const { storage } = this.#node(id);
    if (storage instanceof LevelStorage) return storage;
    throw new Error('the disks of this cluster have no files');
  }

  /** A node that does not run loses everything. For disks with files. */
  wipe(id: NodeId): void {
    this.storage(id).files.wipe();
    this.replaced(id);
  }

  /** The files of a node that does not run are others now: whoever follows them is told. */
  replaced(id: NodeId): void {
    this.#observer?.replaced?.(id, this.rows(id));
  }

  /** A node's monotonic clock. */
  monotonicMs(id: NodeId): number {
    return this.#node(id).clock.monotonicMs;
  }

  /** Sets a node's wall clock wrong by `ms`. */
  setWallOffset(id: NodeId, ms: number): void {
    this.#node(id).clock.wallOffsetMs = ms;
  }

  /** Has a node's clocks go so many times as fast as virtual time. */
  setClockRate(id: NodeId, rate: number): void {
    this.#node(id).clock.rate = rate;
  }

  /** Changes the link from `from` to `to`, one way. */
  setLink(from: NodeId, to: NodeId, state: LinkState): void {
    this.#network.setLink(from, to, state);
  }

  /** The connection from one node to another breaks, and is made again. */
  resetLink(from: NodeId, to: NodeId): void {
    this.#network.reset(from, to);
  }

  /** Changes all links of a node, both ways. */
  setLinks(id: NodeId, state: LinkState): void {
    for (const other of this.everyId) {
      if (other === id) continue;
      this.setLink(id, other, state);
      this.setLink(other, id, state);
    }
  }

  /** Has `to` receive a frame that `from` never sent. */
  inject(from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array): void {
    this.#network.deliver(from, to, lane, frame);
  }

  /** Most ends of processes are seen at once; some machines are gone without a word. */
  #drawLearning(): Learning {
    const choice = this.#streamChance.below(8);
    if (choice === 0) return 'never';
    return choice < 3 ? 'late' : 'at once';
  }

  get #anyUp(): NodeId | undefined {
    return this.ids.find((id) => this.isUp(id));
  }

  #ticketFrom(through: NodeId | undefined): Beginning | undefined {
    if (through === undefined) return undefined;
    const { clusterId, founders, members } = this.engine(through).members();
    return { members, join: { clusterId, founders } };
  }

  #node(id: NodeId): SimulatedNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }
}

function serverOfNode(node: SimulatedNode): Server[] {
  const { id, engine, life, clock, address, expulsion } = node;
  if (engine === undefined || expulsion !== undefined) return [];
  return [
    {
      ...{ name: `n${id}`, kind: 'node', address, streams: engine, clock },
      limits: engine.config.limits,
      get isGone() {
        return node.life !== life;
      },
    },
  ];
}

function serverOf(simulated: SimulatedReplica): Server[] {
  const { name, replica, life, clock, address, limits } = simulated;
  if (replica === undefined) return [];
  return [
    {
      ...{ name, kind: 'replica', address, streams: replica, clock, limits },
      get isGone() {
        return simulated.life !== life;
      },
    },
  ];
}
