// One value with its watchers, which is measured in turns with others: a window of writes at a steady pace, how late they
// reached the watchers, and what they cost.

import { cpuSeconds, sleep } from '../bench-cluster.js';
import { Fleet, type FleetPlan } from './fleet.js';
import { monotonicMs } from './monotonic.js';
import { nthValue, type System, type Watched } from './watched.js';

/** One window. */
export interface Figures {
  readonly deliveredPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time a delivery, µs: of all nodes, whatever they did; of the watchers' process. */
  readonly serverUs: number;
  readonly clientUs: number;
}

export interface ArrangementOptions {
  readonly watched: Watched;
  readonly plan: Omit<FleetPlan, 'place'>;
  /** What values are filled up with; they have its length. */
  readonly fill: string;
}

export const WRITES_PER_SECOND = 100;
const WARM_IN_FLIGHT = 16;

export class Arrangement {
  readonly #options: ArrangementOptions;
  readonly #fleet: Fleet;
  /** Writes so far, which is the version. */
  #written = 0;

  /** Writes the value for the first time and opens the watches. */
  static async open(options: ArrangementOptions): Promise<Arrangement> {
    await options.watched.write(nthValue(1, options.fill));
    const fleet = await Fleet.open({ ...options.plan, place: options.watched.place });
    return new Arrangement(options, fleet);
  }

  private constructor(options: ArrangementOptions, fleet: Fleet) {
    this.#options = options;
    this.#fleet = fleet;
    this.#written = 1;
  }

  get label(): string {
    const calls = this.shareStreams ? 'sharing calls' : 'with a call each';
    return `${this.system}, ${this.watchers} watchers ${calls}`;
  }

  get system(): System {
    return this.#options.watched.place.system;
  }

  get watchers(): number {
    return this.#options.plan.watchers;
  }

  get shareStreams(): boolean {
    return this.#options.plan.shareStreams;
  }

  /** Whether it is the one that is described. */
  is({
    system,
    watchers,
    shareStreams,
  }: Pick<Arrangement, 'system' | 'watchers' | 'shareStreams'>) {
    return (
      this.system === system && this.watchers === watchers && this.shareStreams === shareStreams
    );
  }

  /** Writes so often, as fast as it goes: runtimes that compile what they run often have done so then. */
  async warmUp(writes: number): Promise<void> {
    const { watched, fill } = this.#options;
    const last = this.#written + writes;
    const lane = async (): Promise<void> => {
      while (this.#written < last) await watched.write(nthValue(++this.#written, fill));
    };
    await this.#fleet.begin(last + 1, 0);
    await Promise.all(Array.from({ length: WARM_IN_FLIGHT }, lane));
    await this.#fleet.reached(last);
  }

  /** Writes for so long. Throws unless every watcher gets every version, once and in order. */
  async measure(seconds: number): Promise<Figures> {
    const writes = Math.round(seconds * WRITES_PER_SECOND);
    await this.#fleet.begin(this.#written + 1, writes);
    const before = await this.#cpu();
    const sentMs = await this.#write(writes);
    await this.#fleet.reached(this.#written);
    const after = await this.#cpu();
    const { lateness, values } = await this.#fleet.report(sentMs);
    const { delivered, p50Ms, p99Ms } = lateness;
    if (delivered !== writes * this.watchers) {
      throw new Error(`${this.label}: ${delivered} of ${writes * this.watchers} were delivered`);
    }
    await this.#check(values);
    return {
      deliveredPerSecond: delivered / seconds,
      p50Ms,
      p99Ms,
      serverUs: ((after.servers - before.servers) * 1e6) / delivered,
      clientUs: ((after.client - before.client) * 1e6) / delivered,
    };
  }

  async close(): Promise<void> {
    await this.#fleet.close();
  }

  /** At a steady pace; resolves with the times when all are answered. */
  async #write(writes: number): Promise<number[]> {
    const { watched, fill } = this.#options;
    const answers: Promise<void>[] = [];
    const sentMs: number[] = [];
    const startMs = monotonicMs();
    for (let n = 0; n < writes; n++) {
      const dueMs = startMs + (n * 1000) / WRITES_PER_SECOND;
      if (dueMs > monotonicMs()) await sleep(dueMs - monotonicMs());
      sentMs.push(monotonicMs());
      answers.push(watched.write(nthValue(++this.#written, fill)));
    }
    await Promise.all(answers);
    return sentMs;
  }

  async #check(values: readonly string[]): Promise<void> {
    const { version, value } = await this.#options.watched.read();
    if (version !== this.#written) {
      throw new Error(`${this.label} is at ${version} after ${this.#written} writes`);
    }
    if (values.length !== 1 || values[0] !== value) {
      throw new Error(`${this.label}: a watcher does not have the value`);
    }
  }

  async #cpu(): Promise<{ servers: number; client: number }> {
    const servers = await Promise.all(this.#options.watched.pids.map(cpuSeconds));
    const client = await cpuSeconds(this.#fleet.pid);
    return { servers: servers.reduce((sum, seconds) => sum + seconds, 0), client };
  }
}
