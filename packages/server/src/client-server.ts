// The gRPC server on the client port: our services, health and reflection.

import type { Engine, Log } from '@deltabase/engine';
import { ReflectionService } from '@grpc/reflection';
import type { ServerConfig } from './config/server-config.js';
import { GrpcServer } from './grpc-server.js';
import { counted } from './services/byte-counts.js';
import { clusterHandlers } from './services/cluster.js';
import { documentsHandlers } from './services/documents.js';
import { Health } from './services/health.js';
import { Leaders } from './services/leaders.js';
import { machinesHandlers } from './services/machines.js';
import { PageStreams } from './services/page-stream.js';
import { loadProtos, SERVICE_NAMES } from './services/protos.js';
import { attachHandlers } from './services/replicas.js';
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

/** Opens the client port. Throws INVALID_ARGUMENT if nothing can listen there. */
export async function openClientServer(options: ClientServerOptions): Promise<ClientServer> {
  const { limits, listen } = options.config;
  return new ClientServer(await GrpcServer.open(listen, limits), options);
}

/** The client port of a node, open. */
export class ClientServer {
  readonly port: number;
  readonly #grpc: GrpcServer;
  readonly #leaders: Leaders;
  readonly #health: Health;

  /** Use `openClientServer`. */
  constructor(grpc: GrpcServer, options: ClientServerOptions) {
    const { engine, config, log } = options;
    const { node, limits } = config;
    const { server } = grpc;
    this.port = grpc.port;
    this.#grpc = grpc;
    this.#leaders = new Leaders(engine);
    const leaders = this.#leaders;
    this.#health = new Health({
      services: SERVICE_NAMES,
      canServe: () => leaders.all.every((leader) => leader !== 0),
      listen: (listener) => void leaders.listen(listener),
    });
    const addressOf = (id: number): string => engine.placeOf(id)?.clientAddress ?? '';
    const routes = new Routes({ leaders, addressOf, self: node });
    const protos = loadProtos();
    const nowMs = (): number => options.nowMs();
    const pages = new PageStreams(limits.pageStreamsMax);
    const bytes = { clientBytesReceived: 0, clientBytesSent: 0 };
    const documents = documentsHandlers({
      ...{ engine, routes, limits, pages, bytes, log, nowMs },
      watchQueues: { bytes: 0 },
    });
    server.addService(counted(protos.documents, bytes), documents);
    server.addService(protos.machines, machinesHandlers({ engine, limits, log, nowMs }));
    const { version } = options;
    server.addService(
      protos.cluster,
      clusterHandlers({ engine, pages, limits, version, bytes, log, nowMs }),
    );
    const nodes = (): string[] => engine.members().places.map(({ clientAddress }) => clientAddress);
    server.addService(protos.replicas, attachHandlers({ registry: engine, limits, log, nodes }));
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
    await this.#grpc.close();
  }
}
