// The Upstreams port of replicas on gRPC, with the real services at the other end.

import { GrpcUpstreams } from '@deltabase/driver-upstream';
import type { Engine } from '@deltabase/engine';
import {
  CREDIT_BYTES,
  type ServedScript,
  testUpstreamsConformance,
  type UpstreamsUnderTest,
} from '@deltabase/testkit';
import { GrpcServer } from '../src/grpc-server.js';
import { type DocumentsHost, documentsHandlers } from '../src/services/documents.js';
import { PageStreams } from '../src/services/page-stream.js';
import { loadProtos } from '../src/services/protos.js';
import { readingHandlers } from '../src/services/reading.js';
import { attachHandlers } from '../src/services/replicas.js';
import { freePorts } from './support/free-ports.js';
import { SILENT } from './support/silent-log.js';
import { until } from './support/until.js';

async function open(): Promise<UpstreamsUnderTest> {
  const servers = new Map<string, GrpcServer>();
  const [free] = await freePorts(1);
  const stop = async (address: string): Promise<void> => {
    const server = servers.get(address);
    servers.delete(address);
    await server?.close();
  };
  return {
    upstreams: new GrpcUpstreams({ receiveBytesMax: 2 ** 22, creditBytes: CREDIT_BYTES }),
    nowhere: `127.0.0.1:${free}`,
    async serve(script) {
      const grpc = await GrpcServer.open('127.0.0.1:0', script.limits);
      const protos = loadProtos();
      grpc.server.addService(protos.documents, handlersOf(script));
      grpc.server.addService(protos.replicas, attachHandlers(attachHost(script)));
      const address = `127.0.0.1:${grpc.port}`;
      servers.set(address, grpc);
      return address;
    },
    stop,
    until,
    async close() {
      await Promise.all([...servers.keys()].map(stop));
    },
  };
}

/** The services of a replica for what streams, and those of a node for what is listed. */
function handlersOf(script: ServedScript) {
  const { streams, origin, limits } = script;
  const host = {
    ...{ streams, origin, limits, log: SILENT },
    watchQueues: { bytes: 0 },
    copies: { copiesOf: () => [], followCopies: () => () => {} },
    nowMs: () => performance.now(),
  };
  const engine = {
    history(
      request: Parameters<Engine['history']>[0],
      answer: Parameters<Engine['history']>[1],
    ): void {
      const page = script.history(request, request.fromSeq);
      if ('code' in page) answer(page);
      else answer({ kind: 'page', deltas: page });
    },
  };
  const pages = new PageStreams(limits.pageStreamsMax);
  const { ListDeltas } = documentsHandlers({ ...host, engine, pages } as unknown as DocumentsHost);
  return { ...readingHandlers(host), ListDeltas: ListDeltas! };
}

function attachHost(script: ServedScript) {
  const { registry, limits } = script;
  return { registry, limits, log: SILENT, nodes: () => script.nodes() };
}

testUpstreamsConformance('the gRPC upstreams', open);
