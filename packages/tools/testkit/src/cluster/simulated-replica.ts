// One replica of a simulated cluster through all its lives: a process that follows nodes and other replicas, serves what
// it has of them, and keeps nothing from one life to the next.

import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import { failure, Replica, type ReplicaStatus } from '@deltabase/engine';
import type { Simulation } from '../sim/simulation.js';
import type { Follower, Learning } from '../upstream/simulated-stream.js';
import type { SimulatedUpstreams } from '../upstream/simulated-upstreams.js';
import type { NodeClock } from './node-clock.js';
import { SimulatedProcess } from './simulated-process.js';

export interface ReplicaOptions {
  /** `r1` and so on. */
  readonly name: string;
  /** host:port of nodes and other replicas, at least one. */
  readonly upstreams: readonly string[];
  /** It offers itself where hot documents may be. */
  readonly offersItself?: boolean;
  readonly limits?: Partial<Limits>;
}

/** What a replica shares with others. */
export interface ReplicaSurroundings {
  readonly simulation: Simulation;
  readonly upstreams: SimulatedUpstreams;
  /** When others learn of the end of a life. */
  readonly learning: () => Learning;
  readonly trace: ((line: string) => void) | undefined;
  /** A life is about to end, whatever ends it. */
  readonly ending?: ((status: ReplicaStatus) => void) | undefined;
}

/** Where a replica is reached. */
export function simulatedReplicaAddress(name: string): string {
  return `${name}:1`;
}

export class SimulatedReplica {
  readonly name: string;
  readonly address: string;
  readonly limits: Limits;
  readonly #options: ReplicaOptions;
  readonly #around: ReplicaSurroundings;
  readonly #process: SimulatedProcess;
  #replica: Replica | undefined;
  #follower: Follower | undefined;

  constructor(options: ReplicaOptions, around: ReplicaSurroundings) {
    const { name } = options;
    this.name = name;
    this.address = simulatedReplicaAddress(name);
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#options = options;
    this.#around = around;
    const { simulation, trace } = around;
    this.#process = new SimulatedProcess({ simulation, name, trace });
  }

  get clock(): NodeClock {
    return this.#process.clock;
  }

  /** What it may get copies from, host:port. */
  get upstreams(): readonly string[] {
    return this.#options.upstreams;
  }

  get offersItself(): boolean {
    return this.#options.offersItself === true;
  }

  /** `undefined` unless it runs. */
  get replica(): Replica | undefined {
    return this.#replica;
  }

  get isUp(): boolean {
    return this.#replica !== undefined;
  }

  /** Counts the times it was started or ended. */
  get life(): number {
    return this.#process.life;
  }

  /** Begins a life. */
  start(): void {
    const { simulation, upstreams } = this.#around;
    const { name, address, limits, clock } = this;
    const life = this.#process.begin();
    const enter = (run: () => void): void => this.#process.enter(life, run);
    const follower: Follower = { name, creditBytes: limits.watchQueueBytesMax, enter };
    const ports = {
      clock: this.#process.clockPort(enter, (run) => this.#process.enterSoon(life, run)),
      random: simulation.random.fork(`replica ${name} life ${life}`),
      upstreams: upstreams.of(follower),
      log: this.#process.log(),
    };
    const offered = this.#options.offersItself ? address : undefined;
    const config = { name, upstreams: this.upstreams, address: offered, limits };
    const replica = new Replica(ports, config);
    this.#replica = replica;
    this.#follower = follower;
    upstreams.serve(address, {
      streams: replica,
      registry: replica,
      origin: {
        get current() {
          return replica.origin;
        },
        listen: (listener) => replica.followOrigin(listener),
      },
      limits,
      nodes: () => [],
      nowMs: () => clock.monotonicMs,
      enter,
      // What it does not keep it asks for where its copies come from.
      readDeltas: (document, range, done) => {
        const { upstream } = replica.status();
        if (upstream !== undefined) {
          upstreams.readDeltas(follower, upstream, document, range, done);
        } else {
          done(failure('UNAVAILABLE', `replica ${name} has no way to the cluster`));
        }
      },
    });
  }

  /** Ends a life at once. */
  crash(): void {
    if (this.#replica === undefined) return;
    const { upstreams, learning, ending } = this.#around;
    ending?.(this.#replica.status());
    this.#process.end();
    this.#replica = undefined;
    upstreams.unserve(this.address, learning);
    upstreams.unfollow(this.#follower!, learning);
  }

  /** Ends a life as a process does that is asked to: whoever watches is told. */
  stop(): void {
    this.#replica?.drain();
    this.#replica?.stop();
    this.crash();
  }

  /** It does nothing until `resume`, while its clocks go on. */
  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }
}
