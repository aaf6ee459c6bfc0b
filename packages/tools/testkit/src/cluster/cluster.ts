// Engines on simulated ports: clock, network and disk of one Simulation. Nodes crash and come back with what
// their disks hold, stall, and lose their disks; links drop, delay and cut.

import { DEFAULT_LIMITS, DeltabaseError, type Limits, type Prng } from '@deltabase/base';
import {
  type Clock,
  DEFAULT_TIMING,
  type Engine,
  type Lane,
  type Log,
  type MachineHost,
  type Network,
  type NodeId,
  startEngine,
} from '@deltabase/engine';
import { MemoryDisk } from '../disk/memory-disk.js';
import { SortedMap } from '../disk/sorted-map.js';
import { type NetworkWeather, SimulatedNetwork } from '../network/simulated-network.js';
import { Simulation } from '../sim/simulation.js';

export interface ClusterOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly groups: number;
  readonly machines: () => MachineHost;
  readonly limits?: Partial<Limits>;
  /** Told of every log line. */
  readonly trace?: (line: string) => void;
}

/** How frames and writes fare; change it between events. */
export interface Weather extends NetworkWeather {
  /** Longest delay of a write, ms. */
  writeMsMax: number;
}

interface NodeState {
  engine: Engine | undefined;
  disk: MemoryDisk | undefined;
  rows: SortedMap;
  /** Counts lives: events of an earlier one are void. */
  life: number;
  /** What a stalled node has not got round to; `undefined` while it is awake. */
  held: Array<() => void> | undefined;
  /** By how much its wall clock is wrong, ms. */
  wallOffsetMs: number;
}

export class Cluster {
  readonly simulation: Simulation;
  readonly weather: Weather = { dropRate: 0, duplicateRate: 0, delayMsMax: 2, writeMsMax: 2 };
  readonly ids: readonly NodeId[];
  readonly #options: ClusterOptions;
  readonly #nodes = new Map<NodeId, NodeState>();
  readonly #network: SimulatedNetwork;
  readonly #chance: Prng;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.simulation = new Simulation(options.seed);
    this.#chance = this.simulation.random.fork('network');
    const { simulation, weather } = this;
    this.#network = new SimulatedNetwork({
      simulation,
      weather,
      chance: this.#chance,
      frameBytesMax: options.limits?.peerFrameBytesMax ?? DEFAULT_LIMITS.peerFrameBytesMax,
    });
    this.ids = Array.from({ length: options.nodes }, (_, at) => at + 1);
    for (const id of this.ids) {
      const rows = new SortedMap();
      const life = { engine: undefined, disk: undefined, held: undefined, life: 0 };
      this.#nodes.set(id, { ...life, rows, wallOffsetMs: 0 });
    }
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

  /** Whether a node was started and has not ended; it may still be reading its disk. */
  isRunning(id: NodeId): boolean {
    return this.#node(id).disk !== undefined;
  }

  /** Counts the times a node was started or ended: who meets another number meets another life. */
  lifeOf(id: NodeId): number {
    return this.#node(id).life;
  }

  /** Engines of the nodes that run. */
  engines(): Engine[] {
    return this.ids.filter((id) => this.isUp(id)).map((id) => this.engine(id));
  }

  /** What a node's disk holds. */
  rows(id: NodeId): SortedMap {
    const { disk, rows } = this.#node(id);
    return disk?.durable ?? rows;
  }

  /** Starts every node and waits until each group has a leader that all know. */
  start(): void {
    for (const id of this.ids) this.startNode(id);
    this.awaitLeaders();
  }

  awaitLeaders(): void {
    this.simulation.runUntil(() => {
      const statuses = this.engines().map((engine) => engine.status());
      if (statuses.length === 0) return false;
      return statuses[0]!.groups.every(({ group }) => {
        const leads = statuses.map((status) => status.groups[group]!.lead);
        return leads[0] !== 0 && leads.every((lead) => lead === leads[0]);
      });
    });
  }

  /**
   * Begins a life of a node on what its disk holds, configured with the cluster's members or others. What
   * recovery refuses is thrown by the simulation.
   */
  startNode(id: NodeId, members = this.ids): void {
    const state = this.#node(id);
    const life = ++state.life;
    const later = (kind: 'write' | 'read', run: () => void): void => {
      const delay = kind === 'write' ? this.#chance.fraction() * this.weather.writeMsMax : 0.05;
      this.simulation.schedule(delay, () => this.#live(id, life, run));
    };
    const disk = new MemoryDisk({ later }, state.rows);
    state.disk = disk;
    const { groups, machines, limits } = this.#options;
    const ports = {
      clock: this.#clock(id, life),
      random: this.simulation.random.fork(`node ${id} life ${life}`),
      disk,
      network: this.#networkOf(id, life),
      machines: machines(),
      log: this.#log(id),
    };
    const config = {
      cluster: 'sim',
      node: id,
      members,
      groups,
      timing: DEFAULT_TIMING,
      limits: { ...DEFAULT_LIMITS, ...limits },
    };
    startEngine(ports, config, (engine) => {
      if (engine instanceof DeltabaseError) throw engine;
      state.engine = engine;
      this.#network.connect(id);
    });
  }

  /**
   * Ends a node's life at once. What its disk had acknowledged stays; a batch in flight is lost, or `kept`
   * though nobody was told.
   */
  crash(id: NodeId, inFlight: 'lost' | 'kept' = 'lost'): void {
    const state = this.#node(id);
    if (inFlight === 'kept') state.disk?.completeInFlight();
    state.rows = this.rows(id);
    state.life++;
    state.engine = undefined;
    state.disk = undefined;
    state.held = undefined;
    this.#network.detach(id);
  }

  /** Ends a node's life as a process does that is asked to: whatever is open is answered first. */
  stop(id: NodeId): void {
    this.engine(id).stop();
    this.crash(id);
  }

  /** A node does nothing until `resume`, while its clocks go on. */
  pause(id: NodeId): void {
    this.#node(id).held ??= [];
  }

  resume(id: NodeId): void {
    const state = this.#node(id);
    const held = state.held ?? [];
    const { life } = state;
    state.held = undefined;
    for (const run of held) this.simulation.schedule(0, () => this.#live(id, life, run));
  }

  /** The node’s next write fails, and with it the node: its process ends at once. */
  failDisk(id: NodeId): void {
    this.#node(id).disk?.failNextWrite(() => this.crash(id));
  }

  /** The node’s next write does not fail after all. */
  mendDisk(id: NodeId): void {
    this.#node(id).disk?.failNextWrite(undefined);
  }

  /** The node’s disk hangs, or answers again: what was to be written is then. */
  setDisk(id: NodeId, state: 'hung' | 'whole'): void {
    const { disk } = this.#node(id);
    if (state === 'hung') disk?.hold();
    else disk?.release();
  }

  /** Has the disk of a node that runs say that so much is left of it. */
  setFreeBytes(id: NodeId, bytes: number): void {
    this.#node(id).disk?.setFreeBytes(bytes);
  }

  /** A node that does not run loses or finds other rows: what a test makes of them. */
  replaceRows(id: NodeId, rows: SortedMap): void {
    if (this.#node(id).disk !== undefined) throw new Error(`node ${id} runs`);
    this.#node(id).rows = rows;
  }

  /** Sets a node's wall clock wrong by `ms`. */
  setWallOffset(id: NodeId, ms: number): void {
    this.#node(id).wallOffsetMs = ms;
  }

  /** Cuts or mends the link from `from` to `to`, one way. */
  setLink(from: NodeId, to: NodeId, state: 'cut' | 'whole'): void {
    this.#network.setLink(from, to, state);
  }

  /** Cuts a node off from all others, or mends all its links. */
  setLinks(id: NodeId, state: 'cut' | 'whole'): void {
    for (const other of this.ids) {
      if (other === id) continue;
      this.setLink(id, other, state);
      this.setLink(other, id, state);
    }
  }

  /** Has `to` receive a frame that `from` never sent. */
  inject(from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array): void {
    this.#network.deliver(from, to, lane, frame);
  }

  #node(id: NodeId): NodeState {
    const state = this.#nodes.get(id);
    if (state === undefined) throw new Error(`there is no node ${id}`);
    return state;
  }

  /** Runs an event of a node's life: not at all if that has ended, later if the node is stalled. */
  #live(id: NodeId, life: number, run: () => void): void {
    const state = this.#node(id);
    if (state.life !== life) return;
    if (state.held === undefined) run();
    else state.held.push(run);
  }

  #networkOf(id: NodeId, life: number): Network {
    const attached = this.#network.attach(id);
    return {
      ...attached,
      listen: (listener) =>
        attached.listen({
          received: (from, lane, frame) =>
            this.#live(id, life, () => listener.received(from, lane, frame)),
          reachable: (peer, is) => this.#live(id, life, () => listener.reachable(peer, is)),
        }),
    };
  }

  #clock(id: NodeId, life: number): Clock {
    const { simulation } = this;
    const state = this.#node(id);
    return {
      monotonicMs: () => simulation.nowMs,
      wallMs: () => WALL_START_MS + state.wallOffsetMs + Math.floor(simulation.nowMs),
      soon: (run) => simulation.schedule(0, () => this.#live(id, life, run)),
      every: (intervalMs, run) => {
        let isStopped = false;
        const tick = (): void => {
          if (isStopped) return;
          run();
          again();
        };
        const again = (): void => simulation.schedule(intervalMs, () => this.#live(id, life, tick));
        again();
        return () => {
          isStopped = true;
        };
      },
    };
  }

  #log(id: NodeId): Log {
    const trace = this.#options.trace;
    const line =
      (level: string) =>
      (event: string, fields = {}) =>
        trace?.(
          `${this.simulation.nowMs.toFixed(1)} n${id} ${level} ${event} ${JSON.stringify(fields)}`,
        );
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }
}

/** The wall clocks of simulated nodes begin here, ms since 1970. */
export const WALL_START_MS = 1_700_000_000_000;
