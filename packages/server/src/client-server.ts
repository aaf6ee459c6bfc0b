// The gRPC server on the client port: our services, health and reflection.

import { DeltabaseError, type Limits } from '@deltabase/base';
import { type Engine, failure, type Log } from '@deltabase/engine';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { ServerConfig } from './config/server-config.js';
import { counted } from './services/byte-counts.js';
import { clusterHandlers } from './services/cluster.js';
import { documentsHandlers } from './services/documents.js';
import { Health } from './services/health.js';
import { Leaders } from './services/leaders.js';
import { machinesHandlers } from './services/machines.js';
import { OpenCalls } from './services/open-calls.js';
import { PageStreams } from './services/page-stream.js';
import { loadProtos } from './services/protos.js';
import { Routes } from './services/routes.js';

export interface ClientServerOptions {
  readonly engine: Engine;
  readonly config: ServerConfig;
  readonly log: Log;
  /** The release. */
  readonly version: string;
  /** Milliseconds of a monotonic clock. */
  nowMs(): number;
}

/** A silent client is asked so often whether it is there. */
const KEEPALIVE_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
/** What calls get to end by themselves once their streams are told to. */
const SHUTDOWN_MS = 1000;
/** More than a message adds to the module, value or frame in it. */
const MESSAGE_OVERHEAD_BYTES = 64 * 1024;

/** Opens the client port. Throws INVALID_ARGUMENT if nothing can listen there. */
export async function openClientServer(options: ClientServerOptions): Promise<ClientServer> {
  const { limits, listen } = options.config;
  const open = new OpenCalls();
  const server = makeServer(limits, open);
  const port = await bind(server, listen);
  // Nothing has been received yet: services may be added still, and they know the port.
  return new ClientServer(server, open, port, options);
}

/** The client port of a node, open. */
export class ClientServer {
  readonly port: number;
  readonly #server: Server;
  readonly #leaders: Leaders;
  readonly #health: Health;
  readonly #open: OpenCalls;

  /** Use `openClientServer`. */
  constructor(server: Server, open: OpenCalls, port: number, options: ClientServerOptions) {
    const { engine, config, log } = options;
    const { node, limits } = config;
    this.port = port;
    this.#server = server;
    this.#open = open;
    this.#leaders = new Leaders(engine);
    this.#health = new Health(this.#leaders);
    const addressOf = (id: number): string => engine.placeOf(id)?.clientAddress ?? '';
    const routes = new Routes({ leaders: this.#leaders, addressOf, self: node });
    const protos = loadProtos();
    const nowMs = (): number => options.nowMs();
    const pages = new PageStreams(limits.pageStreamsMax);
    const documents = documentsHandlers({
      ...{ engine, routes, limits, pages, log, nowMs },
      watchQueues: { bytes: 0 },
    });
    const bytes = { clientBytesReceived: 0, clientBytesSent: 0 };
    server.addService(counted(protos.documents, bytes), documents);
    server.addService(protos.machines, machinesHandlers({ engine, limits, log, nowMs }));
    const { version } = options;
    server.addService(
      protos.cluster,
      clusterHandlers({ engine, pages, limits, version, bytes, log, nowMs }),
    );
    this.#health.addTo(server);
    new ReflectionService(protos.all).addToServer(server);
  }

  /** Tells health checks that this node does not serve any more. */
  drain(): void {
    this.#health.drain();
  }

  /** Ends all calls and stops listening. */
  async close(): Promise<void> {
    this.#leaders.close();
    this.#open.endAll(failure('UNAVAILABLE', 'this node stops: use another one'));
    await new Promise<void>((resolve) => {
      const grace = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, SHUTDOWN_MS);
      this.#server.tryShutdown(() => {
        clearTimeout(grace);
        resolve();
      });
    });
  }
}

function makeServer(limits: Limits, open: OpenCalls): Server {
  const { moduleBytesMax, frameBytesMax, readBytesMax, streamsPerConnectionMax } = limits;
  const messageBytesMax =
    Math.max(moduleBytesMax, frameBytesMax, readBytesMax) + MESSAGE_OVERHEAD_BYTES;
  return new Server({
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    'grpc.max_concurrent_streams': streamsPerConnectionMax,
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
