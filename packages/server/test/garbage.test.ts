// Whatever comes to the client port: it ends the connection or the call that brought it, and nothing else.
// These nodes run in the test's own process, so anything thrown where nobody expects it fails the test.

import assert from 'node:assert/strict';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { test } from 'node:test';
import { makePrng, type Prng } from '@deltabase/base';
import { Client, credentials, status } from '@grpc/grpc-js';
import { codecOf, json } from './support/test-client.js';
import { type TestServer, withServer } from './support/test-server.js';
import { until } from './support/until.js';

const SEED = Number(process.env['SEED'] ?? 1);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** An empty SETTINGS frame. */
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

function randomBytes(random: Prng, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

async function serves({ client, lines }: TestServer): Promise<void> {
  const before = await client.send('list', 'alive', 'look', null);
  const after = await client.send('list', 'alive', 'push', 1);
  assert.equal(after.seq, before.seq + 1);
  const defects = lines.filter(({ event }) => ['request-failed', 'defect'].includes(event));
  assert.deepEqual(defects, []);
}

/** Sends bytes on a connection of their own; it is open until the node ends it. */
async function pour(port: number, bytes: Buffer): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => {}); // A reset is one of the ways in which a connection may end.
  socket.resume();
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  return socket;
}

test('bytes that are no HTTP/2 end their connection, on either port', async (t) => {
  t.diagnostic(`SEED=${SEED}`);
  await withServer([], async (server) => {
    for (const port of [server.server.clientPort, server.server.peerPort]) {
      for (const text of [
        'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
        '\x16\x03\x01\x02',
        '*1\r\n$4\r\nPI',
      ]) {
        const socket = await pour(port, Buffer.from(text));
        await until(() => socket.closed);
      }
    }
    await serves(server);
  });
});

test('noise behind a good beginning harms nobody, whether it ends the connection or not', async (t) => {
  t.diagnostic(`SEED=${SEED}`);
  const sockets: Socket[] = [];
  await withServer([], async (server) => {
    const random = makePrng(SEED);
    const openings = [PREFACE, Buffer.concat([PREFACE, SETTINGS])];
    for (const port of [server.server.clientPort, server.server.peerPort]) {
      for (let round = 0; round < 60; round++) {
        const noise = randomBytes(random, 1 + random.below(2000));
        sockets.push(await pour(port, Buffer.concat([openings[round % 2]!, noise])));
      }
      await serves(server);
    }
    // Some wait for the rest of a frame.
    await until(() => sockets.filter(({ closed }) => closed).length > sockets.length / 4);
  });
  await until(() => sockets.every(({ closed }) => closed));
});

test('a connection that says nothing holds nobody up, nor the end of the node', async () => {
  const sockets: Socket[] = [];
  await withServer([], async (server) => {
    for (const port of [server.server.clientPort, server.server.peerPort]) {
      const silent = connectTcp(port, '127.0.0.1');
      const begun = connectTcp(port, '127.0.0.1', () => begun.write(PREFACE.subarray(0, 10)));
      sockets.push(silent, begun);
    }
    for (const socket of sockets) socket.on('error', () => {}).resume();
    await until(() => sockets.every(({ readyState }) => readyState === 'open'));
    await serves(server);
    await server.server.stop();
    await until(() => sockets.every(({ closed }) => closed));
  });
});

/** One call as HTTP/2 frames: what the server says it came to. */
async function rawCall(
  server: TestServer,
  headers: Record<string, string>,
  body: Buffer,
): Promise<{ http: number; grpc: number | undefined }> {
  const session = connectHttp2(`http://${server.address}`);
  try {
    const request = session.request({
      ':method': 'POST',
      ':path': '/deltabase.v1.DocumentsService/Send',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let http = 0;
    let grpc: string | undefined;
    request.on('response', (answer) => {
      http = Number(answer[':status']);
      grpc = answer['grpc-status'] as string | undefined;
    });
    request.on('trailers', (trailers) => {
      grpc = trailers['grpc-status'] as string;
    });
    request.on('error', () => {});
    request.resume();
    request.end(body);
    await new Promise<void>((resolve) => request.once('close', resolve));
    return { http, grpc: grpc === undefined ? undefined : Number(grpc) };
  } finally {
    session.destroy();
  }
}

/** A gRPC message: the flag of compression, the length it claims, and bytes. */
function framed(bytes: Buffer, { flag = 0, length = bytes.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

test('calls that are no gRPC, or not whole, are refused one by one', async () => {
  await withServer([], async (server) => {
    const { UNIMPLEMENTED, RESOURCE_EXHAUSTED, INTERNAL, INVALID_ARGUMENT } = status;
    const message = framed(codecOf('deltabase.v1.SendRequest').encode({}));
    const grpcOf = async (headers: Record<string, string>, body: Buffer): Promise<unknown> =>
      (await rawCall(server, headers, body)).grpc;
    assert.equal(await grpcOf({ ':path': '/none/Such' }, message), UNIMPLEMENTED);
    assert.equal(
      await grpcOf({ ':path': '/deltabase.v1.DocumentsService/No' }, message),
      UNIMPLEMENTED,
    );
    const html = await rawCall(server, { 'content-type': 'text/html' }, message);
    assert.equal(html.http, constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE);
    const tooLong = framed(Buffer.alloc(10), { length: 2 ** 32 - 1 });
    assert.equal(await grpcOf({}, tooLong), RESOURCE_EXHAUSTED);
    for (const body of [
      framed(Buffer.alloc(10), { length: 20 }),
      framed(Buffer.alloc(10), { flag: 1 }),
      framed(Buffer.from([0xff, 0xff, 0xff])),
      Buffer.from([0, 0]),
      Buffer.alloc(0),
    ]) {
      const grpc = (await grpcOf({}, body)) as number;
      const refusals = [INTERNAL, UNIMPLEMENTED, INVALID_ARGUMENT];
      assert.ok(refusals.includes(grpc), `${body.toString('hex')} was answered ${grpc}`);
    }
    await serves(server);
  });
});

test('frames that are no protobuf end their stream with INVALID_ARGUMENT', async (t) => {
  t.diagnostic(`SEED=${SEED}`);
  await withServer([], async (server) => {
    const random = makePrng(SEED);
    const client = new Client(server.address, credentials.createInsecure());
    const session = { name: 'fuzz', openedAtMs: Date.now(), settled: 0 };
    const message = { space: 'list', key: 'fuzz', channel: 'push', payload: json('x'), number: 1 };
    const good = codecOf('deltabase.v1.SendStreamRequest').encode({
      session,
      messages: [message, { ...message, number: 2, after: 1 }],
      timeoutMs: 5000,
    });
    const ends = new Map<number, number>();
    for (let round = 0; round < 400; round++) {
      const end = await sendFrame(client, mutated(random, good));
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    client.close();
    // Some mutations are frames still; all others are the sender's fault, never ours.
    const { OK, INVALID_ARGUMENT } = status;
    assert.deepEqual([...ends.keys()].sort(), [OK, INVALID_ARGUMENT]);
    assert.ok(
      [...ends.values()].every((count) => count > 20),
      JSON.stringify([...ends]),
    );
    await serves(server);
  });
});

function mutated(random: Prng, good: Buffer): Buffer {
  const bytes = Buffer.from(good);
  const kind = random.below(4);
  if (kind === 0) return randomBytes(random, 1 + random.below(100));
  if (kind === 1) return bytes.subarray(0, random.below(bytes.length));
  if (kind === 2) return Buffer.concat([bytes, randomBytes(random, 1 + random.below(20))]);
  for (let flips = 1 + random.below(4); flips > 0; flips--) {
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  }
  return bytes;
}

/** The status with which a SendStream of one frame ends. */
async function sendFrame(client: Client, frame: Buffer): Promise<number> {
  const same = (bytes: Buffer): Buffer => bytes;
  const path = '/deltabase.v1.DocumentsService/SendStream';
  const call = client.makeBidiStreamRequest(path, same, same);
  call.on('error', () => {}).resume();
  call.write(frame);
  call.end();
  const end = await new Promise<{ code: number }>((resolve) => call.once('status', resolve));
  return end.code;
}
