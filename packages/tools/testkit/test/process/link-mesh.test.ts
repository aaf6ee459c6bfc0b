// A mesh in front of a server that says every 5 ms how often it has spoken.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { LinkMesh } from '../../src/index.js';

const SPOKEN = { from: 2, to: 1 };

async function withMesh(use: (mesh: LinkMesh, caller: Socket) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const timer = setInterval(() => socket.write('.'), 5);
    socket.on('error', () => {});
    socket.on('close', () => clearInterval(timer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const mesh = new LinkMesh();
  const { port } = server.address() as { port: number };
  // Node 1 calls node 2, to hear what that says.
  const address = await mesh.reach({ from: 1, to: 2, address: `127.0.0.1:${port}` });
  const caller = connect(Number(address.split(':')[1]), '127.0.0.1');
  caller.on('error', () => {});
  try {
    await once(caller, 'data');
    await use(mesh, caller);
  } finally {
    caller.destroy();
    for (const socket of sockets) socket.destroy();
    await mesh.close();
    server.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('a link that is cut lets nothing through, and what waited comes when it is whole', async () => {
  await withMesh(async (mesh, caller) => {
    mesh.set(SPOKEN, { isCut: true });
    await pause(20);
    let bytes = 0;
    caller.on('data', (data) => {
      bytes += data.length;
    });
    await pause(80);
    assert.equal(bytes, 0);
    mesh.heal();
    await once(caller, 'data');
    await pause(1);
    assert.ok(bytes > 5, `${bytes} bytes came at once`);
  });
});

test('a link that is late or slow takes its time', async () => {
  for (const flow of [{ delayMs: 100 }, { bytesPerSecond: 10 }]) {
    await withMesh(async (mesh, caller) => {
      mesh.set(SPOKEN, flow);
      await pause(20);
      const startMs = performance.now();
      await once(caller, 'data');
      assert.ok(performance.now() - startMs > 50, JSON.stringify(flow));
    });
  }
});

test('a link that is reset ends its connection at once', async () => {
  await withMesh(async (mesh, caller) => {
    const closed = new Promise((resolve) => caller.once('close', resolve));
    mesh.reset(SPOKEN);
    await closed;
    assert.throws(() => mesh.reset({ from: 1, to: 2 }), /no link from 1 to 2/);
  });
});
