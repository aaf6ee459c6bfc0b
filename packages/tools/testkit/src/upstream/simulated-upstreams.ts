// The Upstreams port between the processes of one Simulation: streams over which a replica follows a node or another
// replica, and offers itself to them. They are ordered and reliable while they last, as streams of gRPC are; they may be
// late or stalled, ways between two processes may be cut, and ends are learned of at once, late, or never.

import type { Prng } from '@deltabase/base';
import {
  type DeltasRange,
  type DocumentName,
  type Failure,
  failure,
  type TailDelta,
  type Upstreams,
} from '@deltabase/engine';
import type { Simulation } from '../sim/simulation.js';
import type { StreamWeather } from './pipe.js';
import type { ServedProcess } from './served-process.js';
import { SimulatedAttachLink } from './simulated-attach-link.js';
import { SimulatedConnection } from './simulated-connection.js';
import type { Follower, Learning, SimulatedStream } from './simulated-stream.js';

export interface SimulatedUpstreamsOptions {
  readonly simulation: Simulation;
  readonly chance: Prng;
  readonly weather: StreamWeather;
}

export const CALM_STREAMS: StreamWeather = { delayMsMax: 2, lateRate: 0 };

/** A read of a history is given up after so long. */
const READ_MS = 10_000;
const CALL_MS_MIN = 0.1;

type Link = SimulatedConnection | SimulatedAttachLink;

export class SimulatedUpstreams {
  readonly #options: SimulatedUpstreamsOptions;
  readonly #served = new Map<string, ServedProcess>();
  readonly #links = new Set<Link>();
  /** Ways on which nothing comes through, `from>address`. */
  readonly #cut = new Set<string>();
  /** Where nothing can be had but the present states. */
  readonly #withoutHistory = new Set<string>();

  constructor(options: SimulatedUpstreamsOptions) {
    this.#options = options;
  }

  /** Connections over which copies are kept, until both ends know that they are over; in the order of their beginning. */
  get connections(): SimulatedConnection[] {
    return [...this.#links].filter((link) => link instanceof SimulatedConnection);
  }

  /** The streams of these connections, and those of offers. */
  get streams(): SimulatedStream[] {
    return [...this.#links].map(({ stream }) => stream);
  }

  /** A life of a process that serves at `address` (host:port) begins. */
  serve(address: string, process: ServedProcess): void {
    this.#served.set(address, process);
  }

  /** It ends; whoever follows it learns of that. */
  unserve(address: string, learning: () => Learning): void {
    this.#served.delete(address);
    for (const stream of this.streams) {
      if (stream.address === address) stream.serverEnded(learning());
    }
  }

  /** A life of a process that follows others ends; those learn of it. */
  unfollow({ name }: Follower, learning: () => Learning): void {
    for (const stream of this.streams) {
      if (stream.from === name) stream.followerEnded(learning());
    }
  }

  /** The port as a follower has it. */
  of(follower: Follower): Upstreams {
    const base = (address: string) => ({
      ...this.#options,
      ...{ address, follower },
      served: () => this.#served.get(address),
    });
    return {
      connect: (address, listener) => {
        const connection: SimulatedConnection = new SimulatedConnection({
          ...base(address),
          listener,
          readDeltas: (name, range, done) => this.readDeltas(follower, address, name, range, done),
          isHistoryGone: () => this.#withoutHistory.has(address),
          forget: () => void this.#links.delete(connection),
        });
        this.#begun(connection);
        return connection;
      },
      attach: (address, place, listener) => {
        const link: SimulatedAttachLink = new SimulatedAttachLink({
          ...base(address),
          ...{ place, listener },
          forget: () => void this.#links.delete(link),
        });
        this.#begun(link);
        return link;
      },
    };
  }

  /** Lets nothing through between a follower and an address: what is sent waits, also on new connections. */
  cut(from: string, address: string): void {
    this.#cut.add(wayOf(from, address));
    for (const stream of this.#between(from, address)) stream.stall('both');
  }

  mend(from: string, address: string): void {
    if (!this.#cut.delete(wayOf(from, address))) return;
    for (const stream of this.#between(from, address)) stream.resume();
  }

  /** At an address nothing can be had but the present states, or all can. */
  setHistory(address: string, state: 'gone' | 'kept'): void {
    if (state === 'gone') this.#withoutHistory.add(address);
    else this.#withoutHistory.delete(address);
  }

  /** Mends every way; processes that serve learn which of their followers are gone. */
  mendAll(): void {
    this.#cut.clear();
    this.#withoutHistory.clear();
    for (const stream of this.streams) {
      stream.resume();
      stream.tellServer();
    }
  }

  /**
   * A call of its own for a part of a document's history. `done` is called once, unless the follower ends. Returns how to
   * give it up.
   */
  readDeltas(
    follower: Follower,
    address: string,
    name: DocumentName,
    range: DeltasRange,
    done: (deltas: readonly TailDelta[] | Failure) => void,
  ): () => void {
    const { simulation } = this.#options;
    let isDone = false;
    const finish = (result: readonly TailDelta[] | Failure): void =>
      follower.enter(() => {
        if (isDone) return;
        isDone = true;
        done(result);
      });
    const giveUp = (why: string): void => finish(failure('UNAVAILABLE', `${address}: ${why}`));
    simulation.schedule(READ_MS, () => giveUp('no deltas within their time'));
    if (!this.#cut.has(wayOf(follower.name, address))) {
      this.#later(() => {
        const process = this.#served.get(address);
        if (process === undefined) giveUp('nobody is there');
        else if (this.#withoutHistory.has(address)) finish(historyGone(range));
        else {
          process.enter(() =>
            process.readDeltas(name, range, (deltas) => this.#later(() => finish(deltas))),
          );
        }
      });
    }
    return () => simulation.schedule(0, () => giveUp('the connection was closed'));
  }

  #begun(link: Link): void {
    this.#links.add(link);
    const { from, address } = link.stream;
    if (this.#cut.has(wayOf(from, address))) link.stream.stall('both');
  }

  #later(run: () => void): void {
    const { simulation, chance, weather } = this.#options;
    simulation.schedule(CALL_MS_MIN + chance.fraction() * weather.delayMsMax, run);
  }

  #between(from: string, address: string): SimulatedStream[] {
    return this.streams.filter((one) => one.from === from && one.address === address);
  }
}

function wayOf(from: string, address: string): string {
  return `${from}>${address}`;
}

function historyGone({ fromSeq }: DeltasRange): Failure {
  return failure('HISTORY_GONE', `the deltas from ${fromSeq} on are not kept`);
}
