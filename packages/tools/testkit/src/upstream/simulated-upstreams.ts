// The Upstreams port between the processes of one Simulation: connections over which a replica follows a node or another
// replica. They are ordered and reliable while they last, as streams of gRPC are; they may be late or stalled, and when
// they end each side learns of it at once, late, or never.

import type { Prng } from '@deltabase/base';
import {
  type DeltasRange,
  type DocumentName,
  type Failure,
  failure,
  type TailDelta,
  type Upstream,
  type UpstreamListener,
  type Upstreams,
} from '@deltabase/engine';
import type { Simulation } from '../sim/simulation.js';
import { Pipe, type StreamWeather } from './pipe.js';
import type { ServedProcess } from './served-process.js';
import { type Told, WatchMany } from './watch-many.js';

/** A life of a process that follows others. */
export interface Follower {
  /** Unique among all that follow; for `SimulatedConnection.from`. */
  readonly name: string;
  /** Bytes that may be on their way to it on one connection. */
  readonly creditBytes: number;
  /** Runs something in it: later if it stands still, not at all if it has ended. */
  enter(run: () => void): void;
}

/** When the two ends of a connection learn that it has ended, each by itself. */
export type Learning = 'at once' | 'late' | 'never';

export interface SimulatedUpstreamsOptions {
  readonly simulation: Simulation;
  readonly chance: Prng;
  readonly weather: StreamWeather;
}

export const CALM_STREAMS: StreamWeather = { delayMsMax: 2, lateRate: 0 };

/** What is late is learned of within so long: keep-alives find it out. */
const LATE_MS_MAX = 5000;
/** A read of a history is given up after so long. */
const READ_MS = 10_000;
/** What a request takes on its way. */
const REQUEST_BYTES = 64;

export class SimulatedUpstreams {
  readonly #options: SimulatedUpstreamsOptions;
  readonly #served = new Map<string, ServedProcess>();
  readonly #connections = new Set<SimulatedConnection>();
  /** Ways on which nothing comes through, `from>address`. */
  readonly #cut = new Set<string>();

  constructor(options: SimulatedUpstreamsOptions) {
    this.#options = options;
  }

  /** Connections of which some end does not know yet that they have ended, or which have not; in the order of their beginning. */
  get connections(): readonly SimulatedConnection[] {
    return [...this.#connections];
  }

  /** A life of a process that serves at `address` (host:port) begins. */
  serve(address: string, process: ServedProcess): void {
    this.#served.set(address, process);
  }

  /** It ends; whoever follows it learns of that. */
  unserve(address: string, learning: () => Learning): void {
    this.#served.delete(address);
    for (const connection of this.#connections) {
      if (connection.address === address) connection.serverEnded(learning());
    }
  }

  /** A life of a process that follows others ends; those learn of it. */
  unfollow({ name }: Follower, learning: () => Learning): void {
    for (const connection of this.#connections) {
      if (connection.from === name) connection.followerEnded(learning());
    }
  }

  /** The port as a follower has it. */
  of(follower: Follower): Upstreams {
    return {
      connect: (address, listener) => {
        const { name } = follower;
        const connection = new SimulatedConnection({
          ...this.#options,
          ...{ address, follower, listener },
          served: () => this.#served.get(address),
          readDeltas: (of, range, done) => this.readDeltas(follower, address, of, range, done),
          forget: () => void this.#connections.delete(connection),
        });
        this.#connections.add(connection);
        if (this.#cut.has(wayOf(name, address))) connection.stall('both');
        return connection;
      },
    };
  }

  /** Lets nothing through between a follower and an address: what is sent waits, also on new connections. */
  cut(from: string, address: string): void {
    this.#cut.add(wayOf(from, address));
    for (const one of this.#between(from, address)) one.stall('both');
  }

  mend(from: string, address: string): void {
    if (!this.#cut.delete(wayOf(from, address))) return;
    for (const one of this.#between(from, address)) one.resume();
  }

  /** Mends every way. */
  mendAll(): void {
    this.#cut.clear();
    for (const one of this.#connections) one.resume();
  }

  /** A call of its own for a part of a document's history. `done` is called once, unless the follower ends. */
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
      this.#call(() => {
        const process = this.#served.get(address);
        if (process === undefined) giveUp('nobody is there');
        else {
          process.enter(() =>
            process.readDeltas(name, range, (deltas) => this.#call(() => finish(deltas))),
          );
        }
      });
    }
    return () => simulation.schedule(0, () => giveUp('the connection was closed'));
  }

  #call(run: () => void): void {
    const { simulation, chance, weather } = this.#options;
    simulation.schedule(0.1 + chance.fraction() * weather.delayMsMax, run);
  }

  #between(from: string, address: string): SimulatedConnection[] {
    return this.connections.filter((one) => one.from === from && one.address === address);
  }
}

interface ConnectionOptions extends SimulatedUpstreamsOptions {
  readonly address: string;
  readonly follower: Follower;
  readonly listener: UpstreamListener;
  readonly served: () => ServedProcess | undefined;
  readonly readDeltas: (
    name: DocumentName,
    range: DeltasRange,
    done: (deltas: readonly TailDelta[] | Failure) => void,
  ) => () => void;
  readonly forget: () => void;
}

export class SimulatedConnection implements Upstream {
  readonly #options: ConnectionOptions;
  readonly #up: Pipe;
  readonly #down: Pipe;
  readonly #cancels = new Set<() => void>();
  #process: ServedProcess | undefined;
  #server: WatchMany | undefined;
  /** The follower has closed it, was told of its end, or has ended. */
  #followerIsGone = false;
  #serverIsGone = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { simulation, chance, weather, follower } = options;
    const base = { simulation, chance, weather };
    const atServer = (run: () => void): void => {
      if (this.#process === undefined) run();
      else this.#process.enter(run);
    };
    this.#up = new Pipe({ ...base, enter: atServer });
    this.#down = new Pipe({ ...base, enter: (run) => follower.enter(run) });
    this.#up.send(REQUEST_BYTES, () => this.#accepted());
    this.#grant(follower.creditBytes);
  }

  /** Who follows, and whom: a name and an address. */
  get from(): string {
    return this.#options.follower.name;
  }

  get address(): string {
    return this.#options.address;
  }

  // The port.

  watch(id: number, name: DocumentName, afterSeq: number | undefined): void {
    this.#ask((server) => server.watch(id, name, afterSeq));
  }

  unwatch(id: number): void {
    this.#ask((server) => server.unwatch(id));
  }

  askHeads(number: number, ids: readonly number[], timeoutMs: number): void {
    this.#ask((server) => server.askHeads(number, ids, timeoutMs));
  }

  readDeltas(
    name: DocumentName,
    range: DeltasRange,
    done: (deltas: readonly TailDelta[] | Failure) => void,
  ): void {
    const cancel = this.#options.readDeltas(name, range, (deltas) => {
      this.#cancels.delete(cancel);
      done(deltas);
    });
    this.#cancels.add(cancel);
  }

  close(): void {
    this.#followerLeaves();
    this.#up.send(0, () => this.#serverLeaves());
  }

  // What may happen to it.

  /** Nothing comes through, one way or both, until `resume`. */
  stall(way: 'up' | 'down' | 'both'): void {
    if (way !== 'down') this.#up.stall();
    if (way !== 'up') this.#down.stall();
  }

  resume(): void {
    this.#up.resume();
    this.#down.resume();
  }

  /** It ends, and what is on its way is lost. */
  break(learning: { readonly follower: Learning; readonly server: Learning }): void {
    this.#up.end();
    this.#down.end();
    this.#learn(learning.follower, () => this.#tellFollower('the connection broke'));
    this.#learn(learning.server, () => this.#tellServer());
  }

  /** The process at its other end has ended; if that is learned of at once, what it has said comes before. */
  serverEnded(learning: Learning): void {
    const { address } = this.#options;
    this.#server?.flush();
    this.#server = undefined;
    this.#serverIsGone = true;
    this.#up.end();
    if (learning === 'at once') {
      this.#down.send(0, () => this.#closed(failure('UNAVAILABLE', `${address} has ended`)));
    } else {
      this.#down.end();
      this.#learn(learning, () => this.#tellFollower('it has ended'));
    }
    this.#forgetIfOver();
  }

  /** The process that follows has ended. */
  followerEnded(learning: Learning): void {
    this.#down.end();
    this.#followerLeaves();
    this.#learn(learning, () => this.#tellServer());
  }

  #accepted(): void {
    const process = this.#options.served();
    if (process === undefined) {
      this.#serverIsGone = true;
      this.#down.send(0, () => this.#closed(failure('UNAVAILABLE', 'nobody is there')));
      return;
    }
    this.#process = process;
    const down = this.#down;
    process.enter(() => {
      this.#server = new WatchMany({
        process,
        get queuedBytes() {
          return down.queuedBytes;
        },
        write: (told, bytes) => this.#write(told, bytes),
        soon: (run) => this.#options.simulation.schedule(0, () => process.enter(run)),
        endWith: (why) => {
          this.#serverLeaves();
          down.send(0, () => this.#closed(why));
        },
      });
    });
  }

  #ask(what: (server: WatchMany) => void): void {
    this.#up.send(REQUEST_BYTES, () => {
      if (this.#server !== undefined) what(this.#server);
    });
  }

  #grant(bytes: number): void {
    this.#ask((server) => server.grant(bytes));
  }

  #write(told: readonly Told[], bytes: number): void {
    const { listener, simulation, follower } = this.#options;
    this.#down.send(bytes, () => {
      if (this.#followerIsGone) return;
      for (const tell of told) {
        tell(listener);
        if (this.#followerIsGone) return;
      }
      // What came is worked off before more is asked for.
      simulation.schedule(0, () => follower.enter(() => this.#grant(bytes)));
      simulation.schedule(0, () => this.#process?.enter(() => this.#server?.drained()));
    });
  }

  #tellServer(): void {
    if (this.#process === undefined) this.#serverLeaves();
    else this.#process.enter(() => this.#serverLeaves());
  }

  #tellFollower(what: string): void {
    const { follower, address } = this.#options;
    follower.enter(() => this.#closed(failure('UNAVAILABLE', `${address}: ${what}`)));
  }

  #closed(why: Failure): void {
    if (this.#followerIsGone) return;
    this.#followerLeaves();
    this.#options.listener.closed(why);
  }

  #followerLeaves(): void {
    this.#followerIsGone = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#forgetIfOver();
  }

  #serverLeaves(): void {
    this.#serverIsGone = true;
    this.#server?.close();
    this.#server = undefined;
    this.#forgetIfOver();
  }

  #forgetIfOver(): void {
    if (this.#followerIsGone && this.#serverIsGone) this.#options.forget();
  }

  #learn(learning: Learning, run: () => void): void {
    if (learning === 'never') return;
    const { simulation, chance } = this.#options;
    const delayMs = learning === 'at once' ? 0 : chance.fraction() * LATE_MS_MAX;
    simulation.schedule(delayMs, run);
  }
}

function wayOf(from: string, address: string): string {
  return `${from}>${address}`;
}
