// One bidirectional stream between a follower and a process that serves, over a connection of its own. What both say
// comes in its order and whole, until the stream ends; then each side learns of that at once, late, or never.

import type { Prng } from '@deltabase/base';
import { type Failure, failure } from '@deltabase/engine';
import type { Simulation } from '../sim/simulation.js';
import { Pipe, type StreamWeather } from './pipe.js';
import type { ServedProcess } from './served-process.js';

/** A life of a process that follows others. */
export interface Follower {
  /** Unique among all that follow. */
  readonly name: string;
  /** Bytes that may be on their way to it on one connection. */
  readonly creditBytes: number;
  /** Runs something in it: later if it stands still, not at all if it has ended. */
  enter(run: () => void): void;
}

/** When one end of a stream learns that it has ended. */
export type Learning = 'at once' | 'late' | 'never';

/** What happens at the ends of a stream, each in its process. */
export interface StreamEnds {
  /** The process that serves has taken it. */
  opened(process: ServedProcess): void;
  /** The process that serves ends as it should: what it has to say leaves. */
  flush(): void;
  /** The follower is gone, as far as the process that serves knows. */
  left(): void;
  /** The follower is told that it has ended. */
  closed(why: Failure): void;
}

export interface StreamOptions {
  readonly simulation: Simulation;
  readonly chance: Prng;
  readonly weather: StreamWeather;
  readonly follower: Follower;
  readonly address: string;
  /** Who serves at the address now. */
  readonly served: () => ServedProcess | undefined;
  /** Both ends know that it is over. */
  readonly forget: () => void;
  /** Nothing is said that the follower would miss: it relies on keep-alives, and learns of every end. */
  readonly isQuiet?: boolean;
  readonly ends: StreamEnds;
}

/** What is late is learned of within so long: keep-alives find it out. */
const LATE_MS_MAX = 5000;
/** What opening takes on its way. */
const OPEN_BYTES = 64;

export class SimulatedStream {
  readonly #options: StreamOptions;
  readonly #up: Pipe;
  readonly #down: Pipe;
  #process: ServedProcess | undefined;
  #isOpen = false;
  #followerIsGone = false;
  #serverIsGone = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    const { simulation, chance, weather, follower } = options;
    const base = { simulation, chance, weather };
    this.#up = new Pipe({ ...base, enter: (run) => this.#atServer(run) });
    this.#down = new Pipe({ ...base, enter: (run) => follower.enter(run) });
    this.#up.send(OPEN_BYTES, () => this.#opened());
  }

  /** Who follows, and whom: a name and an address. */
  get from(): string {
    return this.#options.follower.name;
  }

  get address(): string {
    return this.#options.address;
  }

  /** Bytes that the process that serves has written and that have not left. */
  get queuedBytes(): number {
    return this.#down.queuedBytes;
  }

  /** Has `run` called at the process that serves, once what was said before has come. */
  toServer(bytes: number, run: () => void): void {
    this.#up.send(bytes, () => {
      if (this.#isOpen) run();
    });
  }

  /** Has `run` called at the follower, once what was said before has come. */
  toFollower(bytes: number, run: () => void): void {
    this.#down.send(bytes, () => {
      if (!this.#followerIsGone) run();
    });
  }

  /** Calls `run` in the process that serves once what is happening now is over, or at the follower. */
  soonAtServer(run: () => void): void {
    this.#options.simulation.schedule(0, () => this.#atServer(run));
  }

  soonAtFollower(run: () => void): void {
    const { simulation, follower } = this.#options;
    simulation.schedule(0, () => follower.enter(run));
  }

  get followerIsGone(): boolean {
    return this.#followerIsGone;
  }

  /** The follower ends it. */
  close(): void {
    this.#followerLeaves();
    this.#up.send(0, () => this.#serverLeaves());
  }

  /** The process that serves ends it, behind what it has said. */
  endWith(why: Failure): void {
    this.#serverLeaves();
    this.#down.send(0, () => this.#closed(why));
  }

  // What may happen to it.

  /** Nothing comes through, one way or both, until `resume`; nothing is lost. */
  stall(way: 'up' | 'down' | 'both'): void {
    if (way !== 'down') this.#up.stall();
    if (way !== 'up') this.#down.stall();
  }

  resume(): void {
    this.#up.resume();
    this.#down.resume();
  }

  /** A process that serves learns in the end that its follower is gone. */
  tellServer(): void {
    if (this.#followerIsGone) this.#atServer(() => this.#serverLeaves());
  }

  /** It ends, and what is on its way is lost. */
  break(learning: { readonly follower: Learning; readonly server: Learning }): void {
    this.#up.end();
    this.#down.end();
    this.#learn(this.#atFollower(learning.follower), () => {
      this.#tellFollower('the connection broke');
    });
    this.#learn(learning.server, () => this.#atServer(() => this.#serverLeaves()));
  }

  /** The process that serves has ended; if that is learned of at once, what it has said comes before. */
  serverEnded(learning: Learning): void {
    const { address, ends } = this.#options;
    if (this.#isOpen) ends.flush();
    this.#isOpen = false;
    this.#serverIsGone = true;
    this.#up.end();
    if (learning === 'at once') {
      this.#down.send(0, () => this.#closed(failure('UNAVAILABLE', `${address} has ended`)));
    } else {
      this.#down.end();
      this.#learn(this.#atFollower(learning), () => this.#tellFollower('it has ended'));
    }
    this.#forgetIfOver();
  }

  /** The process that follows has ended. */
  followerEnded(learning: Learning): void {
    this.#down.end();
    this.#followerLeaves();
    this.#learn(learning, () => this.#atServer(() => this.#serverLeaves()));
  }

  #opened(): void {
    const process = this.#options.served();
    if (process === undefined) {
      this.#serverIsGone = true;
      this.#down.send(0, () => this.#closed(failure('UNAVAILABLE', 'nobody is there')));
      return;
    }
    this.#process = process;
    process.enter(() => {
      this.#isOpen = true;
      this.#options.ends.opened(process);
    });
  }

  #atServer(run: () => void): void {
    if (this.#process === undefined) run();
    else this.#process.enter(run);
  }

  #tellFollower(what: string): void {
    const { follower, address } = this.#options;
    follower.enter(() => this.#closed(failure('UNAVAILABLE', `${address}: ${what}`)));
  }

  #closed(why: Failure): void {
    if (this.#followerIsGone) return;
    this.#followerLeaves();
    this.#options.ends.closed(why);
  }

  #followerLeaves(): void {
    this.#followerIsGone = true;
    this.#forgetIfOver();
  }

  #serverLeaves(): void {
    this.#serverIsGone = true;
    if (this.#isOpen) this.#options.ends.left();
    this.#isOpen = false;
    this.#forgetIfOver();
  }

  #forgetIfOver(): void {
    if (this.#followerIsGone && this.#serverIsGone) this.#options.forget();
  }

  #atFollower(learning: Learning): Learning {
    return this.#options.isQuiet === true && learning === 'never' ? 'late' : learning;
  }

  #learn(learning: Learning, run: () => void): void {
    if (learning === 'never') return;
    const { simulation, chance } = this.#options;
    const delayMs = learning === 'at once' ? 0 : chance.fraction() * LATE_MS_MAX;
    simulation.schedule(delayMs, run);
  }
}
