// A replica's offer to one process: one Attach stream on a connection of its own.

import type {
  AttachLink,
  AttachListener,
  CopyReport,
  Failure,
  ReplicaPlace,
} from '@deltabase/engine';
import type { GrpcUpstreamsOptions } from './client.js';
import { type AttachRequest, type AttachResponse, METHODS } from './protos.js';
import { UpstreamStream } from './upstream-stream.js';

export interface Offer {
  readonly replica: ReplicaPlace;
  readonly listener: AttachListener;
}

export class GrpcAttachLink implements AttachLink {
  readonly #stream: UpstreamStream<AttachRequest, AttachResponse>;
  /** What was written has not left yet: the next report tells what this one would. */
  #isBusy = false;

  constructor(address: string, { replica, listener }: Offer, options: GrpcUpstreamsOptions) {
    const told = {
      received({ hold, release, nodes }: AttachResponse) {
        if (hold.length + release.length > 0) listener.ordered(hold, release);
        if (nodes.length > 0) listener.nodes(nodes);
      },
      closed: (why: Failure) => listener.closed(why),
    };
    this.#stream = new UpstreamStream(address, METHODS.Attach, told, options);
    this.#stream.write({ replica });
  }

  report(copies: readonly CopyReport[]): void {
    if (this.#stream.isClosed || this.#isBusy) return;
    this.#isBusy = true;
    this.#stream.write({ report: { copies } }, () => {
      this.#isBusy = false;
    });
  }

  close(): void {
    this.#stream.close();
  }
}
