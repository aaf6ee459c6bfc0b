// A replica's offer to one process: one Attach stream on a connection of its own.

import {
  type AttachLink,
  type AttachListener,
  type CopyReport,
  failure,
  type ReplicaPlace,
} from '@deltabase/engine';
import { Connection } from '@deltabase/grpc-connection';
import { type Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { failureOfCall } from './call-failure.js';
import { type GrpcUpstreamsOptions, makeClient } from './client.js';
import { type AttachRequest, type AttachResponse, METHODS } from './protos.js';

export interface Offer {
  readonly replica: ReplicaPlace;
  readonly listener: AttachListener;
}

export class GrpcAttachLink implements AttachLink {
  readonly #connection = new Connection();
  readonly #client: Client;
  readonly #call: ClientDuplexStream<AttachRequest, AttachResponse>;
  /** What was written has not left yet: the next report tells what this one would. */
  #isBusy = false;
  #isClosed = false;

  constructor(address: string, { replica, listener }: Offer, options: GrpcUpstreamsOptions) {
    this.#client = makeClient(address, this.#connection, options);
    const { path, requestSerialize, responseDeserialize } = METHODS.Attach;
    this.#call = this.#client.makeBidiStreamRequest<AttachRequest, AttachResponse>(
      path,
      requestSerialize,
      responseDeserialize as (bytes: Buffer) => AttachResponse,
      new Metadata(),
      {},
    );
    const closed = (why: Parameters<AttachListener['closed']>[0]): void => {
      if (this.#isClosed) return;
      this.close();
      listener.closed(why);
    };
    this.#call.on('data', ({ hold, release, nodes }: AttachResponse) => {
      if (this.#isClosed) return;
      if (hold.length + release.length > 0) listener.ordered(hold, release);
      if (nodes.length > 0) listener.nodes(nodes);
    });
    this.#call.on('error', (error: ServiceError) => closed(failureOfCall(address, error)));
    this.#call.on('end', () => closed(failure('UNAVAILABLE', `${address} has ended the stream`)));
    this.#call.write({ replica });
  }

  report(copies: readonly CopyReport[]): void {
    if (this.#isClosed || this.#isBusy) return;
    this.#isBusy = true;
    this.#call.write({ report: { copies } }, () => {
      this.#isBusy = false;
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#call.cancel();
    this.#client.close();
    this.#connection.destroy();
  }
}
