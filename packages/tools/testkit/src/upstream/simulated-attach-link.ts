// A replica's offer to one process: the AttachLink of the port at one end, what the server's Attach does at the other.

import type {
  Attached,
  AttachLink,
  AttachListener,
  CopyReport,
  ReplicaPlace,
} from '@deltabase/engine';
import type { ServedProcess } from './served-process.js';
import { SimulatedStream, type StreamOptions } from './simulated-stream.js';

export interface AttachOptions extends Omit<StreamOptions, 'ends'> {
  readonly place: ReplicaPlace;
  readonly listener: AttachListener;
}

const MESSAGE_BYTES = 64;

export class SimulatedAttachLink implements AttachLink {
  readonly stream: SimulatedStream;
  readonly #options: AttachOptions;
  #process: ServedProcess | undefined;
  #attached: Attached | undefined;
  /** The nodes as they were last told. */
  #told = '';

  constructor(options: AttachOptions) {
    this.#options = options;
    this.stream = new SimulatedStream({
      ...options,
      isQuiet: true,
      ends: {
        opened: (process) => this.#opened(process),
        flush: () => {},
        left: () => this.#attached?.detach(),
        closed: (why) => options.listener.closed(why),
      },
    });
  }

  report(copies: readonly CopyReport[]): void {
    this.stream.toServer(MESSAGE_BYTES, () => {
      this.#attached?.report(copies);
      this.#tellNodes();
    });
  }

  close(): void {
    this.stream.close();
  }

  #opened(process: ServedProcess): void {
    const { place, listener } = this.#options;
    this.#process = process;
    this.#attached = process.registry.attach(place, {
      ordered: (hold, release) =>
        this.stream.toFollower(MESSAGE_BYTES, () => listener.ordered(hold, release)),
      ended: (why) => this.stream.endWith(why),
    });
    this.#tellNodes();
  }

  #tellNodes(): void {
    const nodes = this.#process!.nodes();
    if (nodes.join() === this.#told) return;
    this.#told = nodes.join();
    this.stream.toFollower(MESSAGE_BYTES, () => this.#options.listener.nodes(nodes));
  }
}
