// Calls over real gRPC to a server that ends them in ways of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { CLIENT_LIMITS } from '../src/limits.js';
import { GrpcLink } from '../src/transport/grpc/grpc-link.js';
import { METHODS } from '../src/transport/grpc/protos.js';

/** Runs `run` with a link to a server that answers each Watch with one response and then nothing. */
async function withServer(run: (link: GrpcLink, server: Server) => Promise<void>): Promise<void> {
  const server = new Server();
  const bytes = (given: Buffer): Buffer => given;
  const bare = {
    requestStream: false,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  server.addService(
    { watch: { path: METHODS.Watch.path, ...bare } },
    { watch: (call: ServerWritableStream<Buffer, Buffer>) => void call.write(Buffer.alloc(0)) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const link = new GrpcLink(`127.0.0.1:${port}`, CLIENT_LIMITS);
  try {
    await run(link, server);
  } finally {
    link.close();
    server.forceShutdown();
  }
}

test('a call that a stopping node has to drop is UNAVAILABLE, so a watch goes on elsewhere', async () => {
  await withServer(async (link, server) => {
    const watch = link.stream('Watch', { space: 's', key: 'k' }, { apart: true });
    assert.equal((await watch.next()).done, false);
    const next = watch.next();
    server.forceShutdown();
    await assert.rejects(next, { code: 'UNAVAILABLE' });
  });
});

test('a call that this client cancels is CANCELLED', async () => {
  await withServer(async (link) => {
    const controller = new AbortController();
    const options = { apart: true, signal: controller.signal };
    const watch = link.stream('Watch', { space: 's', key: 'k' }, options);
    assert.equal((await watch.next()).done, false);
    const next = watch.next();
    controller.abort();
    await assert.rejects(next, { code: 'CANCELLED' });
  });
});
