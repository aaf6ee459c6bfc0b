// A connection over which a follower keeps copies current: the Upstream of the port at one end, WatchMany at the other.

import type {
  DeltasRange,
  DocumentName,
  Failure,
  TailDelta,
  Upstream,
  UpstreamListener,
} from '@deltabase/engine';
import { SimulatedStream, type StreamOptions } from './simulated-stream.js';
import { type Damage, type Told, WatchMany } from './watch-many.js';

/** Reads part of a history. Returns how to give it up. */
export type HistoryCall = (
  name: DocumentName,
  range: DeltasRange,
  done: (deltas: readonly TailDelta[] | Failure) => void,
) => () => void;

export interface ConnectionOptions extends Omit<StreamOptions, 'ends'> {
  readonly listener: UpstreamListener;
  readonly readDeltas: HistoryCall;
  /** Nothing can be had at the other end but the present states. */
  readonly isHistoryGone: () => boolean;
}

/** What a request takes on its way, bytes. */
const REQUEST_BYTES = 64;

export class SimulatedConnection implements Upstream {
  readonly stream: SimulatedStream;
  readonly #options: ConnectionOptions;
  /** Reads that are under way. */
  readonly #cancels = new Set<() => void>();
  #server: WatchMany | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.stream = new SimulatedStream({
      ...options,
      ends: {
        opened: (process) => {
          const { stream } = this;
          this.#server = new WatchMany({
            process,
            get queuedBytes() {
              return stream.queuedBytes;
            },
            get isHistoryGone() {
              return options.isHistoryGone();
            },
            write: (told, bytes) => this.#write(told, bytes),
            soon: (run) => stream.soonAtServer(run),
            endWith: (why) => stream.endWith(why),
          });
        },
        flush: () => this.#server?.flush(),
        left: () => this.#server?.close(),
        closed: (why) => {
          this.#cancelReads();
          options.listener.closed(why);
        },
      },
    });
    this.#grant(options.follower.creditBytes);
  }

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
    if (this.stream.followerIsGone) this.#cancelReads();
  }

  close(): void {
    this.#cancelReads();
    this.stream.close();
  }

  /** The next delta does not come as it should; `done` is called when it is given. */
  damageNext(damage: Damage, done: () => void): void {
    this.#server?.damageNext(damage, done);
  }

  #ask(what: (server: WatchMany) => void): void {
    this.stream.toServer(REQUEST_BYTES, () => what(this.#server!));
  }

  #grant(bytes: number): void {
    this.#ask((server) => server.grant(bytes));
  }

  #write(told: readonly Told[], bytes: number): void {
    const { stream } = this;
    stream.toFollower(bytes, () => {
      for (const tell of told) {
        tell(this.#options.listener);
        if (stream.followerIsGone) return;
      }
      // What came is worked off before more is asked for.
      stream.soonAtFollower(() => this.#grant(bytes));
      stream.soonAtServer(() => this.#server?.drained());
    });
  }

  #cancelReads(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}
