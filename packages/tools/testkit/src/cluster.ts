// Engines on simulated ports: clock, network and disk of one Simulation. Nodes crash and come back with what
// their disks hold; links drop, delay and cut.

import { DEFAULT_LIMITS, DeltabaseError, type Limits, type Prng } from '@deltabase/base';
import {
  DEFAULT_TIMING,
  type Engine,
  type Log,
  type MachineHost,
  type NodeId,
  startEngine,
} from '@deltabase/engine';
import { MemoryDisk } from './memory-disk.js';
import { type NetworkWeather, SimulatedNetwork } from './simulated-network.js';
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

/** How frames and writes fare; change it between events. */
export interface Weather extends NetworkWeather {
  /** Longest delay of a write, ms. */
  writeMsMax: number;
}

interface NodeState {
  engine: Engine | undefined;
  disk: SortedMap;
  /** Counts lives: events of an earlier one are void. */
  life: number;
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
    this.#network = new SimulatedNetwork({ simulation, weather, chance: this.#chance });
    this.ids = Array.from({ length: options.nodes }, (_, at) => at + 1);
    for (const id of this.ids) {
      const state = { engine: undefined, disk: new SortedMap(), life: 0 };
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
      network: this.#network.attach(id),
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
      this.#network.connect(id);
    });
  }

  /** Ends a node's life at once; only what its disk had acknowledged stays. */
  crash(id: NodeId): void {
    const state = this.#nodes.get(id)!;
    state.life++;
    state.engine = undefined;
    this.#network.detach(id);
  }

  /** Cuts or mends the link from `from` to `to`, one way. */
  setLink(from: NodeId, to: NodeId, state: 'cut' | 'whole'): void {
    this.#network.setLink(from, to, state);
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
