// A gRPC server of a process: its limits, its port, and its end.

import { DeltabaseError, type Limits } from '@deltabase/base';
import { failure } from '@deltabase/engine';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { OpenCalls } from './services/open-calls.js';

/** A silent client is asked so often whether it is there. */
const KEEPALIVE_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
/** What calls get to end by themselves once their streams are told to. */
const SHUTDOWN_MS = 1000;
/** More than a message adds to the module, value or frame in it. */
const MESSAGE_OVERHEAD_BYTES = 64 * 1024;

/** The largest message that a process takes or gives, bytes. */
export function messageBytesMax({ moduleBytesMax, frameBytesMax, readBytesMax }: Limits): number {
  return Math.max(moduleBytesMax, frameBytesMax, readBytesMax) + MESSAGE_OVERHEAD_BYTES;
}

export class GrpcServer {
  /** Services are added to it before anything is received. */
  readonly server: Server;
  readonly port: number;
  readonly #open: OpenCalls;

  private constructor(server: Server, port: number, open: OpenCalls) {
    this.server = server;
    this.port = port;
    this.#open = open;
  }

  /** Opens a port (host:port). Throws INVALID_ARGUMENT if nothing can listen there. */
  static async open(address: string, limits: Limits): Promise<GrpcServer> {
    const open = new OpenCalls();
    const server = makeServer(limits, open);
    return new GrpcServer(server, await bind(server, address), open);
  }

  /** Ends all calls and stops listening. */
  async close(): Promise<void> {
    this.#open.endAll(failure('UNAVAILABLE', 'this process stops: use another one'));
    await new Promise<void>((resolve) => {
      const grace = setTimeout(() => {
        this.server.forceShutdown();
        resolve();
      }, SHUTDOWN_MS);
      this.server.tryShutdown(() => {
        clearTimeout(grace);
        resolve();
      });
    });
  }
}

function makeServer(limits: Limits, open: OpenCalls): Server {
  const bytesMax = messageBytesMax(limits);
  return new Server({
    'grpc.max_receive_message_length': bytesMax,
    'grpc.max_send_message_length': bytesMax,
    'grpc.max_concurrent_streams': limits.streamsPerConnectionMax,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_channelz': 0,
    interceptors: [open.interceptor],
  });
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, port) => {
      if (cause === null) {
        resolve(port);
        return;
      }
      const why = `cannot listen for clients on ${address} (${cause.message}): choose another address`;
      reject(new DeltabaseError('INVALID_ARGUMENT', why, { cause }));
    });
  });
}
