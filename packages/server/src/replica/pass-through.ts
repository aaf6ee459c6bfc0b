// Calls that a replica does not answer itself go to its upstream and come back as bytes, whatever they say. On the wire all
// four kinds of gRPC calls are alike, messages both ways and a status: so each is passed on as if both sides streamed.

import { type Failure, failure } from '@deltabase/engine';
import { Connection } from '@deltabase/grpc-connection';
import {
  Client,
  type ClientDuplexStream,
  type handleBidiStreamingCall,
  Metadata,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { statusOf } from '../services/status.js';

/** Where calls go: one upstream at a time. */
export class Passage {
  readonly #messageBytesMax: number;
  #address: string | undefined;
  #client: Client | undefined;
  #connection: Connection | undefined;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** Leads to the process at `address` (host:port) from now on; calls that are under way to another one end. */
  leadTo(address: string | undefined): void {
    if (address === this.#address) return;
    this.#address = address;
    this.#client?.close();
    this.#connection?.destroy();
    this.#client = undefined;
    if (address === undefined) return;
    this.#connection = new Connection();
    this.#client = new Client(address, this.#connection, {
      'grpc.max_receive_message_length': this.#messageBytesMax,
      'grpc.max_send_message_length': this.#messageBytesMax,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
    });
  }

  /** Passes a call on, and its answer back. */
  pass(path: string, call: ServerDuplexStream<Buffer, Buffer>): void {
    if (this.#client === undefined) {
      call.emit('error', statusOf(noUpstream()));
      return;
    }
    const onward: ClientDuplexStream<Buffer, Buffer> = this.#client.makeBidiStreamRequest(
      path,
      asIs,
      asIs,
      forwarded(call.metadata),
      { deadline: call.getDeadline() },
    );
    call.on('cancelled', () => onward.cancel());
    call.on('data', (bytes: Buffer) => {
      if (!onward.write(bytes)) call.pause();
    });
    onward.on('drain', () => call.resume());
    call.on('end', () => onward.end());
    onward.on('metadata', (metadata: Metadata) => call.sendMetadata(metadata));
    onward.on('data', (bytes: Buffer) => {
      if (!call.write(bytes)) onward.pause();
    });
    call.on('drain', () => onward.resume());
    onward.on('error', ({ code, details, metadata }: ServiceError) => {
      call.emit('error', { code, details, metadata });
    });
    onward.on('end', () => call.end());
  }

  /** The same with a call of one request, whose bytes are at hand, and one answer. */
  passUnary(
    path: string,
    request: Buffer,
    call: ServerUnaryCall<unknown, object>,
    callback: sendUnaryData<object>,
  ): void {
    if (this.#client === undefined) {
      callback(statusOf(noUpstream()));
      return;
    }
    const options = { deadline: call.getDeadline() };
    const metadata = forwarded(call.metadata);
    const done = (error: ServiceError | null, answer?: Buffer): void => {
      if (error !== null) {
        const { code, details } = error;
        callback({ code, details, metadata: error.metadata });
      } else {
        callback(null, answer);
      }
    };
    const onward = this.#client.makeUnaryRequest(
      path,
      asIs,
      asIs,
      request,
      metadata,
      options,
      done,
    );
    call.on('cancelled', () => onward.cancel());
  }
}

interface PassedService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

/** The service with every method passed on, but for those of `own`. */
export function passed(
  service: ServiceDefinition,
  passage: Passage,
  own: UntypedServiceImplementation = {},
): PassedService {
  const definition: Record<string, MethodDefinition<unknown, unknown>> = { ...service };
  const handlers: UntypedServiceImplementation = { ...own };
  for (const [name, method] of Object.entries(service)) {
    if (own[name] !== undefined) continue;
    definition[name] = passedMethod(method);
    const pass: handleBidiStreamingCall<Buffer, Buffer> = (call) => passage.pass(method.path, call);
    handlers[name] = pass;
  }
  return { definition: definition as ServiceDefinition, handlers };
}

function passedMethod(
  method: MethodDefinition<unknown, unknown>,
): MethodDefinition<unknown, unknown> {
  const passedOn = { ...method, requestStream: true, responseStream: true };
  passedOn.requestDeserialize = asIs;
  passedOn.responseSerialize = asIs as (value: unknown) => Buffer;
  return passedOn;
}

/** What belongs to one connection only; gRPC writes it anew. */
const HOP_KEYS = new Set(['user-agent', 'host', 'te', 'content-type', 'connection']);

function forwarded(metadata: Metadata): Metadata {
  const onward = new Metadata();
  for (const key of Object.keys(metadata.getMap())) {
    if (HOP_KEYS.has(key) || key.startsWith('grpc-') || key.endsWith('encoding')) continue;
    for (const value of metadata.get(key)) onward.add(key, value);
  }
  return onward;
}

function asIs<T>(bytes: T): T {
  return bytes;
}

function noUpstream(): Failure {
  const why = 'this replica has no way to the cluster now: ask another process, or for stale reads';
  return failure('UNAVAILABLE', why, { staleOnly: true });
}
