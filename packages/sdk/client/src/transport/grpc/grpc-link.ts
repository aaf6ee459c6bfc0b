// A way to one node over gRPC.

import type { DeltabaseError } from '@deltabase/base';
import { Connection } from '@deltabase/grpc-connection';
import { Client, type ClientReadableStream, type ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import type { ClientLimits } from '../../limits.js';
import type {
  CallOptions,
  Link,
  SendStream,
  SendStreamListener,
  StreamOptions,
} from '../transport.js';
import type { StreamCalls, UnaryCalls } from '../wire.js';
import { aborted, callError } from './call-error.js';
import { GrpcGets } from './grpc-gets.js';
import { openGrpcSendStream } from './grpc-send-stream.js';
import { GrpcWatches } from './grpc-watches.js';
import { METHODS } from './protos.js';

/** A connection that carries nothing is asked for a sign of life this often. */
const KEEPALIVE_MS = 2000;
const KEEPALIVE_TIMEOUT_MS = 3000;
/** HTTP/2 lets so much be on its way to the client; its default of 64 KiB makes large answers wait. */
const WINDOW_BYTES = 4 * 1024 * 1024;

export class GrpcLink implements Link {
  readonly #address: string;
  readonly #connection = new Connection();
  readonly #client: Client;
  readonly #gets: GrpcGets;
  readonly #watches: GrpcWatches;

  constructor(address: string, limits: ClientLimits) {
    this.#address = address;
    this.#client = new Client(address, this.#connection, {
      'grpc.max_receive_message_length': limits.receiveBytesMax,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      // The client tries again at its own pace, see endpoint.ts.
      'grpc.initial_reconnect_backoff_ms': limits.reconnectMsMin,
      'grpc.max_reconnect_backoff_ms': limits.reconnectMsMax,
      'grpc.min_reconnect_backoff_ms': limits.reconnectMsMin,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc-node.flow_control_window': WINDOW_BYTES,
    });
    this.#gets = new GrpcGets(this.#client, address, (request, call) =>
      this.#call('Get', request, call),
    );
    this.#watches = new GrpcWatches(this.#client, address, limits);
  }

  openSendStream(listener: SendStreamListener): SendStream {
    return openGrpcSendStream(this.#client, this.#address, listener);
  }

  call<Name extends keyof UnaryCalls>(
    name: Name,
    request: UnaryCalls[Name]['request'],
    options: CallOptions,
  ): Promise<UnaryCalls[Name]['response']> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (name === 'Get') return this.#gets.get(request as UnaryCalls['Get']['request'], options);
    return this.#call(name, request, options);
  }

  #call<Name extends keyof UnaryCalls>(
    name: Name,
    request: UnaryCalls[Name]['request'],
    { timeoutMs, signal }: CallOptions,
  ): Promise<UnaryCalls[Name]['response']> {
    const { path, requestSerialize, responseDeserialize } = METHODS[name];
    return new Promise((resolve, reject) => {
      let abort: (() => void) | undefined;
      const call: ClientUnaryCall = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, response) => {
          if (abort !== undefined) signal?.removeEventListener('abort', abort);
          if (error === null) resolve(response as UnaryCalls[Name]['response']);
          else reject(this.#errorOf(error, signal));
        },
      );
      abort = () => call.cancel();
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  stream<Name extends keyof StreamCalls>(
    name: Name,
    request: StreamCalls[Name]['request'],
    options: StreamOptions,
  ): AsyncGenerator<StreamCalls[Name]['response']> {
    if (name === 'Watch' && options.apart !== true && !this.#watches.isUnknown) {
      return this.#watches.watch(request as StreamCalls['Watch']['request'], options);
    }
    return this.#stream(name, request, options);
  }

  async *#stream<Name extends keyof StreamCalls>(
    name: Name,
    request: StreamCalls[Name]['request'],
    { timeoutMs, signal }: StreamOptions,
  ): AsyncGenerator<StreamCalls[Name]['response']> {
    if (signal?.aborted) throw aborted(signal);
    const { path, requestSerialize, responseDeserialize } = METHODS[name];
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    const call: ClientReadableStream<object> = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new Metadata(),
      options,
    );
    const abort = (): void => call.cancel();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for await (const response of call) yield response as StreamCalls[Name]['response'];
    } catch (thrown) {
      throw this.#errorOf(thrown, signal);
    } finally {
      signal?.removeEventListener('abort', abort);
      // Left early, the call ends with a late error that nobody waits for.
      call.on('error', () => {});
      call.cancel();
    }
  }

  close(): void {
    this.#gets.close();
    this.#watches.close();
    this.#client.close();
    this.#connection.destroy();
  }

  #errorOf(thrown: unknown, signal: AbortSignal | undefined): DeltabaseError {
    return signal?.aborted ? aborted(signal) : callError(this.#address, thrown);
  }
}
