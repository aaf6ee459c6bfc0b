// A stream to an upstream, on a connection of its own: both end together, by whoever ends one of them. Behind its end
// nothing is heard of it, and unless this side has closed it, why it ended is told, once.

import { type Failure, failure } from '@deltabase/engine';
import { Connection } from '@deltabase/grpc-connection';
import {
  type Client,
  type ClientDuplexStream,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { failureOfCall } from './call-failure.js';
import { type GrpcUpstreamsOptions, makeClient } from './client.js';

export interface StreamMethod<Request extends object, Response>
  extends Pick<MethodDefinition<Request, object>, 'path' | 'requestSerialize'> {
  responseDeserialize(bytes: Buffer): Response;
}

export interface StreamListener<Response> {
  received(response: Response): void;
  closed(why: Failure): void;
}

export class UpstreamStream<Request extends object, Response> {
  /** For other calls on the same connection. */
  readonly client: Client;
  readonly #connection = new Connection();
  readonly #call: ClientDuplexStream<Request, Response>;
  readonly #listener: StreamListener<Response>;
  #isClosed = false;

  constructor(
    address: string,
    method: StreamMethod<Request, Response>,
    listener: StreamListener<Response>,
    options: GrpcUpstreamsOptions,
  ) {
    this.client = makeClient(address, this.#connection, options);
    this.#listener = listener;
    const { path, requestSerialize, responseDeserialize } = method;
    this.#call = this.client.makeBidiStreamRequest<Request, Response>(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      {},
    );
    this.#call.on('data', (response: Response) => {
      if (!this.#isClosed) listener.received(response);
    });
    this.#call.on('error', (error: ServiceError) => this.end(failureOfCall(address, error)));
    this.#call.on('end', () => this.end(failure('UNAVAILABLE', `${address} has ended the stream`)));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** `left` is called when the request has left. */
  write(request: Request, left?: () => void): void {
    this.#call.write(request, left);
  }

  /** Closes it and tells why, unless it is closed. */
  end(why: Failure): void {
    const wasClosed = this.#isClosed;
    this.close();
    if (!wasClosed) this.#listener.closed(why);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#call.cancel();
    this.client.close();
    this.#connection.destroy();
  }
}
