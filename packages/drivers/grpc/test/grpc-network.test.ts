import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import { FRAME_HEADER_BYTES } from '@deltabase/grpc-connection';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { encodePeerFrame } from '../src/peer-frame.js';
import { SUBSCRIBE, writeGreeting } from '../src/peer-protocol.js';
import { happened, introduce, openNode, type TestNode, until } from './support/test-node.js';

/** Runs `run` with nodes that are closed afterwards, however it ends. */
async function withNodes(
  nodes: Promise<TestNode[]>,
  run: (...nodes: TestNode[]) => Promise<void>,
): Promise<void> {
  const opened = await nodes;
  try {
    await run(...opened);
  } finally {
    for (const { network } of opened) network.close();
  }
}

test('a node of another cluster is refused, with a reason on both sides', async () => {
  const nodes = Promise.all([openNode(1), openNode(2, { cluster: 'other' })]);
  await withNodes(nodes, async (one, two) => {
    introduce(one!, two!);
    await until(() => [one!, two!].every((node) => node.logged('peer-refused').length > 0));
    await until(() => [one!, two!].every((node) => node.logged('peer-unreachable').length > 0));
    assert.match(String(one!.logged('peer-refused')[0]!.fields['reason']), /cluster "other"/);
    assert.match(
      String(two!.logged('peer-unreachable')[0]!.fields['reason']),
      /node 1 of cluster test refuses/,
    );
    assert.deepEqual([...one!.reachable, ...two!.reachable], []);
  });
});

test('a node that took the address of another for its own is refused', async () => {
  await withNodes(Promise.all([openNode(1), openNode(2)]), async (one, two) => {
    one!.network.setPeer(3, two!.address);
    two!.network.setPeer(1, one!.address);
    one!.listen();
    two!.listen();
    await until(() => two!.logged('peer-unreachable').length > 0);
    const reason = String(two!.logged('peer-unreachable')[0]!.fields['reason']);
    assert.match(reason, /it is not a member here, or not yet/);
    assert.deepEqual([...one!.met], [[2, two!.address]]);
    await until(() => two!.logged('peer-refused').length > 0);
    const refusal = String(two!.logged('peer-refused')[0]!.fields['reason']);
    assert.match(refusal, /it took this node for node 3, but it is node 2/);
    assert.deepEqual([...two!.met], [], 'who is refused is not met');
  });
});

test('a peer that is called in vain and calls itself is met where it says that it is', async () => {
  await withNodes(Promise.all([openNode(1), openNode(2), openNode(3)]), async (one, two, three) => {
    const deaf = await listenDeaf(0);
    one!.network.setPeer(2, deaf.address);
    one!.network.setPeer(3, three!.address);
    two!.network.setPeer(1, one!.address);
    three!.network.setPeer(1, one!.address);
    for (const node of [one!, two!, three!]) node.listen();
    await until(() => one!.met.has(2) && one!.reachable.has(3));
    deaf.close();
    assert.deepEqual([...one!.met], [[2, two!.address]], 'who is where it should be is not met');
    one!.network.setPeer(2, two!.address);
    await until(() => one!.reachable.has(2) && two!.reachable.has(1));
  });
});

test('a reason is logged once, not with every attempt', async () => {
  await withNodes(Promise.all([openNode(1)]), async (one) => {
    const deaf = await listenDeaf(0);
    one!.network.setPeer(2, deaf.address);
    one!.listen();
    await until(() => deaf.attempts >= 5);
    deaf.close();
    const reasons = one!.logged('peer-unreachable').map(({ fields }) => fields['reason']);
    assert.deepEqual(reasons, ['Failed to connect']);
  });
});

interface Deaf {
  readonly address: string;
  readonly attempts: number;
  close(): void;
}

/** Takes connections and closes them at once. */
async function listenDeaf(port: number): Promise<Deaf> {
  let attempts = 0;
  const server = createServer((socket) => {
    attempts++;
    socket.destroy();
    setImmediate(happened);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get attempts() {
      return attempts;
    },
    close: () => server.close(),
  };
}

test('a host that takes connections and never answers has one of them at a time', async () => {
  await withNodes(Promise.all([openNode(1)]), async (one) => {
    const open = new Set<Socket>();
    let taken = 0;
    const silent = createServer((socket) => {
      taken++;
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        happened();
      });
      socket.resume();
      happened();
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    one!.network.setPeer(2, `127.0.0.1:${(silent.address() as AddressInfo).port}`);
    one!.listen();
    await until(() => taken === 2);
    assert(open.size <= 1, `${open.size} are open`);
    assert.equal(one!.logged('peer-unreachable')[0]!.fields['reason'], 'it does not answer');
    one!.network.close();
    await until(() => open.size === 0);
    silent.close();
  });
});

test('what is not a Deltabase node is refused', async () => {
  await withNodes(Promise.all([openNode(1), openNode(2)]), async (one, two) => {
    introduce(one!, two!);
    const session = connectHttp2(`http://${one!.address}`);
    const request = session.request({
      ':method': 'POST',
      ':path': SUBSCRIBE.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    request.end(Buffer.alloc(5));
    const headers = await new Promise<Record<string, unknown>>((resolve) =>
      request.on('response', resolve),
    );
    session.close();
    assert.equal(headers['grpc-status'], String(status.FAILED_PRECONDITION));
    assert.match(String(headers['grpc-message']), /clients%20use%20another%20port/);
  });
});

test('a damaged frame is dropped and logged, and those behind it come', async () => {
  await withNodes(Promise.all([openNode(1)]), async (one) => {
    const fake = await fakePeer(2, (message) => {
      if (message.length > 20) message[message.length - 1]! ^= 1;
      return message;
    });
    one!.network.setPeer(2, fake.address);
    one!.listen();
    await until(() => one!.frames.length === 2);
    fake.close();
    assert.deepEqual(
      one!.frames.map(({ frame }) => Buffer.from(frame).toString()),
      ['first', 'third'],
    );
    assert.equal(one!.logged('peer-frame-damaged').length, 1);
  });
});

/** A peer that sends "first", a longer frame and "third" on the urgent lane, its bytes changed by `change`. */
async function fakePeer(
  id: number,
  change: (message: Buffer) => Buffer,
): Promise<{ address: string; close(): void }> {
  const server = new Server();
  const method = {
    ...SUBSCRIBE,
    responseSerialize: (frame: Uint8Array) =>
      change(encodePeerFrame(frame).subarray(FRAME_HEADER_BYTES)),
  };
  server.addService(
    { subscribe: method },
    {
      // biome-ignore lint/suspicious/noExplicitAny: a call of a service without types.
      subscribe(call: any) {
        const lane = call.metadata.get('deltabase-lane')[0];
        call.sendMetadata(writeGreeting({ cluster: 'test', node: id, address: '', peer: 1, lane }));
        if (lane !== 'urgent') return;
        for (const text of ['first', 'second, which is long', 'third'])
          call.write(Buffer.from(text));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

test('a peer that comes back is reachable within moments', async () => {
  await withNodes(Promise.all([openNode(1), openNode(2)]), async (one, two) => {
    introduce(one!, two!);
    await until(() => one!.reachable.has(2));
    const lostAt = performance.now();
    two!.network.close();
    await until(() => !one!.reachable.has(2));
    assert(performance.now() - lostAt < 500, 'the loss is noticed at once');
    // Until the waits between attempts have grown.
    const deaf = await listenDeaf(two!.network.port);
    await until(() => deaf.attempts >= 6);
    deaf.close();
    const again = await openNode(2, { port: two!.network.port });
    again.network.setPeer(1, one!.address);
    const backAt = performance.now();
    again.listen();
    await until(() => one!.reachable.has(2) && again.reachable.has(1));
    const tookMs = performance.now() - backAt;
    again.network.close();
    assert(tookMs < 300, `it took ${tookMs} ms`);
  });
});

test('a connection that died silently is noticed', async () => {
  const options = { keepaliveMs: 200 };
  await withNodes(Promise.all([openNode(1, options), openNode(2, options)]), async (one, two) => {
    const [toOne, toTwo] = await Promise.all([relayTo(one!.address), relayTo(two!.address)]);
    one!.network.setPeer(2, toTwo.address);
    two!.network.setPeer(1, toOne.address);
    one!.listen();
    two!.listen();
    await until(() => one!.reachable.has(2) && two!.reachable.has(1));
    toOne.freeze();
    toTwo.freeze();
    await until(() => !one!.reachable.has(2) && !two!.reachable.has(1));
    toOne.close();
    toTwo.close();
  });
});

interface Relay {
  readonly address: string;
  /** Bytes go nowhere from now on; connections stay. */
  freeze(): void;
  close(): void;
}

/** Passes connections on to `address`. */
async function relayTo(address: string): Promise<Relay> {
  const [host, port] = address.split(':') as [string, string];
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (data) => isFrozen || to.write(data));
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  };
  const server = createServer((incoming) => {
    const outgoing = connectTcp(Number(port), host);
    pass(incoming, outgoing);
    pass(outgoing, incoming);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    freeze() {
      isFrozen = true;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test('frames for a peer that reads too slowly are counted, then dropped', async () => {
  const limits = { peerQueueBytesMax: 4_000_000 };
  await withNodes(Promise.all([openNode(1, { limits }), openNode(2)]), async (one, two) => {
    const relay = await relayTo(one!.address);
    one!.network.setPeer(2, two!.address);
    two!.network.setPeer(1, relay.address);
    one!.listen();
    two!.listen();
    await until(() => one!.reachable.has(2));
    relay.freeze();
    // The windows of two's side take 8 MiB, this side's sockets some more; then the queue grows.
    const frame = new Uint8Array(1_000_000);
    for (let count = 0; count < 200; count++) {
      one!.network.send(2, 'urgent', frame);
      assert(one!.network.queuedBytes(2, 'urgent') <= limits.peerQueueBytesMax);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert(one!.network.queuedBytes(2, 'urgent') > limits.peerQueueBytesMax - 1_000_100);
    assert.equal(one!.logged('peer-queue-full').length, 1);
    relay.close();
    await until(() => !one!.reachable.has(2) && one!.network.queuedBytes(2, 'urgent') === 0);
  });
});

test('a frame larger than any may be is refused here, not by the peer', async () => {
  const limits = { peerFrameBytesMax: 100_000 };
  await withNodes(
    Promise.all([openNode(1, { limits }), openNode(2, { limits })]),
    async (one, two) => {
      introduce(one!, two!);
      await until(() => one!.reachable.has(2));
      one!.network.send(2, 'urgent', new Uint8Array(100_000));
      one!.network.send(2, 'urgent', new Uint8Array(99_900));
      await until(() => two!.frames.length === 1);
      assert.equal(two!.frames[0]!.frame.length, 99_900);
      assert.equal(one!.logged('peer-frame-too-large').length, 1);
    },
  );
});

test('a peer can move to another address', async () => {
  await withNodes(Promise.all([openNode(1), openNode(2), openNode(2)]), async (one, two, moved) => {
    introduce(one!, two!);
    await until(() => one!.reachable.has(2));
    two!.network.close();
    await until(() => !one!.reachable.has(2));
    moved!.network.setPeer(1, one!.address);
    moved!.listen();
    one!.network.setPeer(2, moved!.address);
    await until(() => one!.reachable.has(2) && moved!.reachable.has(1));
    one!.network.send(2, 'bulk', Buffer.from('here'));
    one!.network.send(2, 'urgent', Buffer.from('here'));
    await until(() => moved!.frames.some(({ lane }) => lane === 'urgent'));
  });
});

test('an address that cannot be listened at is an error that says so', async () => {
  await withNodes(Promise.all([openNode(1)]), async (one) => {
    await assert.rejects(openNode(2, { port: one!.network.port }), (error) => {
      assert(error instanceof DeltabaseError);
      assert.equal(error.code, 'INVALID_ARGUMENT');
      assert.match(error.message, /cannot listen for peers on 127\.0\.0\.1:\d+ .* choose another/);
      return true;
    });
  });
});
