// A replica of Deltabase in this process: live copies, and the services in front of them. What it does not answer from
// its copies goes to its upstream.

import { makeSystemClock, makeSystemRandom } from '@deltabase/driver-system';
import { GrpcUpstreams } from '@deltabase/driver-upstream';
import { type Log, Replica } from '@deltabase/engine';
import { ReflectionService } from '@grpc/reflection';
import { withPort } from '../config/members.js';
import type { ReplicaServerConfig } from '../config/replica-config.js';
import { GrpcServer, messageBytesMax } from '../grpc-server.js';
import { Health } from '../services/health.js';
import { listHot } from '../services/list-hot.js';
import { loadProtos, SERVICE_NAMES } from '../services/protos.js';
import { type ReadingHost, readingHandlers } from '../services/reading.js';
import { attachHandlers } from '../services/replicas.js';
import { VERSION } from '../version.js';
import { passOldReads } from './old-reads.js';
import { Passage, passed } from './pass-through.js';
import { passStatus } from './passed-status.js';
import { statusHandlers } from './replica-status.js';

/** A replica that runs. */
export interface ReplicaServer {
  /** The port that it listens on: that of the configuration, or the one that was free. */
  readonly port: number;
  readonly replica: Replica;
  /** Stops in order: health says so, streams end with UNAVAILABLE, whoever watches goes elsewhere. */
  stop(): Promise<void>;
}

/** Starts a replica. Throws INVALID_ARGUMENT if nothing can listen where it should. */
export async function startReplica(config: ReplicaServerConfig, log: Log): Promise<ReplicaServer> {
  const { name, upstreams, listen, advertise, hold, limits } = config;
  const grpc = await GrpcServer.open(listen, limits);
  const bytesMax = messageBytesMax(limits);
  const clock = makeSystemClock();
  const ports = {
    ...{ clock, log },
    random: makeSystemRandom(),
    upstreams: new GrpcUpstreams({
      receiveBytesMax: bytesMax,
      creditBytes: limits.watchQueueBytesMax,
    }),
  };
  const address = advertise === undefined ? undefined : withPort(advertise, grpc.port);
  if (address === undefined) log.warn('not-advertised', { listen });
  const replica = new Replica(ports, { name, upstreams, address, limits });
  for (const document of hold) replica.hold(document);
  const passage = new Passage(bytesMax);
  replica.followOrigin(() => passage.leadTo(replica.status().upstream));
  const health = new Health({
    services: SERVICE_NAMES,
    canServe: () => replica.origin.live,
    listen: (listener) => void replica.followOrigin(listener),
  });
  addServices({ grpc, replica, passage, health, log, limits, nowMs: () => clock.monotonicMs() });
  log.info('started', { version: VERSION, pid: process.pid, port: grpc.port, name });
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    log.info('draining');
    health.drain();
    replica.drain();
    replica.stop();
    await grpc.close();
    passage.leadTo(undefined);
    log.info('stopped');
  };
  return {
    port: grpc.port,
    replica,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

interface Parts extends Pick<ReadingHost, 'limits' | 'log' | 'nowMs'> {
  readonly grpc: GrpcServer;
  readonly replica: Replica;
  readonly passage: Passage;
  readonly health: Health;
}

function addServices({ grpc, replica, passage, health, ...host }: Parts): void {
  const { server } = grpc;
  const protos = loadProtos();
  const origin = {
    get current() {
      return replica.origin;
    },
    listen: (listener: () => void) => replica.followOrigin(listener),
  };
  const own = readingHandlers({
    ...{ streams: replica, copies: replica, origin },
    watchQueues: { bytes: 0 },
    ...host,
  });
  const reading = passOldReads(protos.documents, own, passage);
  const documents = passed(reading.definition, passage, reading.handlers);
  server.addService(documents.definition, documents.handlers);
  const { name } = replica.status();
  const ListHot = listHot(host.log, {
    ...{ node: 0, replica: name, leaderOf: () => 0 },
    hottest: (count) => replica.hottest(count),
  });
  const cluster = passStatus(protos.cluster, name, passage);
  for (const { definition, handlers } of [
    passed(protos.machines, passage),
    passed(cluster.definition, passage, { ListHot, ...cluster.handlers }),
  ]) {
    server.addService(definition, handlers);
  }
  const status = statusHandlers({ replica, log: host.log, version: VERSION });
  const attach = attachHandlers({ registry: replica, nodes: () => [], ...host });
  server.addService(protos.replicas, { ...status, ...attach });
  health.addTo(server);
  new ReflectionService(protos.all).addToServer(server);
}
