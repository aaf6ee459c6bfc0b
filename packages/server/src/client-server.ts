// The gRPC server on the client port: our services, health and reflection.

import { DeltabaseError, type Limits } from '@deltabase/base';
import { type Engine, failure, type Log } from '@deltabase/engine';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { Member } from './config/members.js';
import { clusterHandlers } from './services/cluster.js';
import { documentsHandlers } from './services/documents.js';
import { Health } from './services/health.js';
import { Leaders } from './services/leaders.js';
import { machinesHandlers } from './services/machines.js';
import { OpenStreams } from './services/open-streams.js';
import { loadProtos } from './services/protos.js';
import { Routes } from './services/routes.js';

export interface ClientServerOptions {
  readonly engine: Engine;
  readonly node: number;
  readonly members: readonly Member[];
  readonly limits: Limits;
  readonly log: Log;
  readonly version: string;
  nowMs(): number;
}

/** A silent client is asked so often whether it is there. */
const KEEPALIVE_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
/** What calls get to end by themselves once their streams are told to. */
const SHUTDOWN_MS = 1000;
/** More than a message adds to the module, value or frame in it. */
const MESSAGE_OVERHEAD_BYTES = 64 * 1024;

export class ClientServer {
  readonly #server: Server;
  readonly #leaders: Leaders;
  readonly #health: Health;
  readonly #open = new OpenStreams();

  constructor(options: ClientServerOptions) {
    const { engine, node, members, limits } = options;
    const { moduleBytesMax, frameBytesMax, readBytesMax, streamsPerConnectionMax } = limits;
    const messageBytesMax =
      Math.max(moduleBytesMax, frameBytesMax, readBytesMax) + MESSAGE_OVERHEAD_BYTES;
    this.#server = new Server({
      'grpc.max_receive_message_length': messageBytesMax,
      'grpc.max_send_message_length': messageBytesMax,
      'grpc.max_concurrent_streams': streamsPerConnectionMax,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.enable_channelz': 0,
    });
    this.#leaders = new Leaders(engine);
    this.#health = new Health(this.#leaders);
    const routes = new Routes({ leaders: this.#leaders, members, self: node });
    const protos = loadProtos();
    const host = { ...options, routes, open: this.#open, nowMs: () => options.nowMs() };
    this.#server.addService(protos.documents, documentsHandlers(host));
    this.#server.addService(protos.machines, machinesHandlers(host));
    this.#server.addService(protos.cluster, clusterHandlers(host));
    this.#health.addTo(this.#server);
    new ReflectionService(protos.all).addToServer(this.#server);
  }

  /** Begins to listen at host:port and returns the port. Throws INVALID_ARGUMENT if that is not possible. */
  listen(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (cause, port) => {
        if (cause === null) {
          resolve(port);
          return;
        }
        const why = `cannot listen for clients on ${address} (${cause.message}): choose another address`;
        reject(new DeltabaseError('INVALID_ARGUMENT', why, { cause }));
      });
    });
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
