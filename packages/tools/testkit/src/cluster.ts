// Engines on simulated ports: clock, network and disk of one Simulation. Nodes crash and come back with what
// their disks hold; links drop, delay and cut.

import { DEFAULT_LIMITS, DeltabaseError, type Limits, type Prng } from '@deltabase/base';
import {
  DEFAULT_TIMING,
  type Engine,
  type Lane,
  type Log,
  type MachineHost,
  type Network,
  type NetworkListener,
  type NodeId,
  startEngine,
} from '@deltabase/engine';
import { MemoryDisk } from './memory-disk.js';
import { Simulation } from './simulation.js';
import { SortedMap } from './sorted-map.js';

export interface ClusterOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly groups: number;
  readonly machines: () => MachineHost;
  readonly limits?: Partial<Limits>;
  /** Told of every log line. */
  readonly trace?: (line: string) => void;
}

/** How frames travel; change it between events. */
export interface Weather {
  /** Fraction of frames that are lost. */
  dropRate: number;
  /** Fraction of frames that come twice. */
  duplicateRate: number;
  /** Longest delay of a frame, ms; delays are uniform. */
  delayMsMax: number;
  /** Longest delay of a write, ms. */
  writeMsMax: number;
}

interface NodeState {
  engine: Engine | undefined;
  disk: SortedMap;
  /** Counts lives: events of an earlier one are void. */
  life: number;
  listener: NetworkListener | undefined;
}

export class Cluster {
  readonly simulation: Simulation;
  readonly weather: Weather = { dropRate: 0, duplicateRate: 0, delayMsMax: 2, writeMsMax: 2 };
  readonly ids: readonly NodeId[];
  readonly #options: ClusterOptions;
  readonly #nodes = new Map<NodeId, NodeState>();
  readonly #cut = new Set<string>();
  readonly #chance: Prng;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.simulation = new Simulation(options.seed);
    this.#chance = this.simulation.random.fork('network');
    this.ids = Array.from({ length: options.nodes }, (_, at) => at + 1);
    for (const id of this.ids) {
      const state = { engine: undefined, disk: new SortedMap(), life: 0, listener: undefined };
      this.#nodes.set(id, state);
    }
  }

  /** The engine of a node that runs. */
  engine(id: NodeId): Engine {
    const { engine } = this.#nodes.get(id)!;
    if (engine === undefined) throw new Error(`node ${id} does not run`);
    return engine;
  }

  isUp(id: NodeId): boolean {
    return this.#nodes.get(id)!.engine !== undefined;
  }

  /** Engines of the nodes that run. */
  engines(): Engine[] {
    return this.ids.filter((id) => this.isUp(id)).map((id) => this.engine(id));
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

  startNode(id: NodeId): void {
    const state = this.#nodes.get(id)!;
    const life = ++state.life;
    const disk = new MemoryDisk(
      { later: (kind, run) => this.#later(id, life, kind, run) },
      state.disk,
    );
    const { groups, machines, limits } = this.#options;
    const ports = {
      clock: this.#clock(id, life),
      random: this.simulation.random.fork(`node ${id} life ${life}`),
      disk: this.#remembering(disk, state),
      network: this.#network(id, life),
      machines: machines(),
      log: this.#log(id),
    };
    const config = {
      cluster: 'sim',
      node: id,
      members: this.ids,
      groups,
      timing: DEFAULT_TIMING,
      limits: { ...DEFAULT_LIMITS, ...limits },
    };
    startEngine(ports, config, (engine) => {
      if (engine instanceof DeltabaseError) throw engine;
      state.engine = engine;
      for (const other of this.ids) this.#connect(id, other);
    });
  }

  /** Ends a node's life at once; only what its disk had acknowledged stays. */
  crash(id: NodeId): void {
    const state = this.#nodes.get(id)!;
    state.life++;
    state.engine = undefined;
    state.listener = undefined;
    for (const other of this.ids) {
      if (other !== id) this.#nodes.get(other)!.listener?.reachable(id, false);
    }
  }

  /** Cuts or mends the link from `from` to `to`, one way. */
  setLink(from: NodeId, to: NodeId, state: 'cut' | 'whole'): void {
    if (state === 'cut') this.#cut.add(`${from}>${to}`);
    else this.#cut.delete(`${from}>${to}`);
  }

  #connect(a: NodeId, b: NodeId): void {
    if (a === b || !this.isUp(a) || !this.isUp(b)) return;
    this.#nodes.get(a)!.listener?.reachable(b, true);
    this.#nodes.get(b)!.listener?.reachable(a, true);
  }

  #remembering(disk: MemoryDisk, state: NodeState): MemoryDisk {
    // The map is replaced with each write: keep the newest for the next life.
    const write = disk.write.bind(disk);
    disk.write = (batch, done) =>
      write(batch, () => {
        state.disk = disk.durable;
        done();
      });
    return disk;
  }

  #later(id: NodeId, life: number, kind: 'write' | 'read', run: () => void): void {
    const delay = kind === 'write' ? this.#chance.fraction() * this.weather.writeMsMax : 0.05;
    this.simulation.schedule(delay, () => {
      if (this.#nodes.get(id)!.life === life) run();
    });
  }

  #clock(id: NodeId, life: number) {
    const alive = (): boolean => this.#nodes.get(id)!.life === life;
    const { simulation } = this;
    return {
      monotonicMs: () => simulation.nowMs,
      wallMs: () => 1_700_000_000_000 + Math.floor(simulation.nowMs),
      soon(run: () => void) {
        simulation.schedule(0, () => {
          if (alive()) run();
        });
      },
      every(intervalMs: number, run: () => void) {
        let stopped = false;
        const again = (): void =>
          simulation.schedule(intervalMs, () => {
            if (stopped || !alive()) return;
            run();
            again();
          });
        again();
        return () => {
          stopped = true;
        };
      },
    };
  }

  #network(id: NodeId, life: number): Network {
    return {
      send: (to, lane, frame) => {
        if (this.#nodes.get(id)!.life === life) this.#send(id, to, lane, frame);
      },
      queuedBytes: () => 0,
      listen: (listener) => {
        this.#nodes.get(id)!.listener = listener;
      },
    };
  }

  #send(from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array): void {
    const { dropRate, duplicateRate, delayMsMax } = this.weather;
    if (this.#cut.has(`${from}>${to}`) || this.#chance.fraction() < dropRate) return;
    const copies = this.#chance.fraction() < duplicateRate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.simulation.schedule(0.1 + this.#chance.fraction() * delayMsMax, () => {
        this.#nodes.get(to)?.listener?.received(from, lane, frame.slice());
      });
    }
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
