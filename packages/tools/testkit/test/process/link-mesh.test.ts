// A mesh in front of a server that says every 5 ms how often it has spoken.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { LinkMesh } from '../../src/index.js';

const SPOKEN = { from: 2, to: 1 };

async function withMesh(
  use: (mesh: LinkMesh, caller: Socket, said: Socket) => Promise<void>,
): Promise<void> {
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
    const [said] = sockets;
    await use(mesh, caller, said!);
  } finally {
    caller.destroy();
    for (const socket of sockets) socket.destroy();
    await mesh.close();
    server.close();
  }
}

/** Sockets of this process, and those that Node.js could not close. */
function socketCount(): number {
  return process.getActiveResourcesInfo().filter((what) => what === 'TCPSocketWrap').length;
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

test('a link that is reset while its caller hangs up leaves no socket behind', async () => {
  const before = socketCount();
  await withMesh(async (mesh, caller) => {
    const bell = createServer((socket) => socket.once('data', () => mesh.reset(SPOKEN)));
    bell.listen(0, '127.0.0.1');
    await once(bell, 'listening');
    const ringer = connect((bell.address() as { port: number }).port, '127.0.0.1');
    await once(ringer, 'connect');
    const closed = once(caller, 'close');
    // Both arrive in one turn: the mesh learns of the end, and is shutting down its side when it is told to reset.
    caller.end();
    ringer.end('now');
    await closed;
    ringer.destroy();
    bell.close();
  });
  await pause(50);
  assert.equal(socketCount(), before);
});

test('a link is reset at once though its caller does not read', async () => {
  await withMesh(async (mesh, caller, said) => {
    caller.pause();
    // More than the system's buffers hold: the rest waits in the mesh.
    said.write(Buffer.alloc(16 * 1024 * 1024));
    await pause(200);
    const before = socketCount();
    mesh.reset(SPOKEN);
    await pause(50);
    assert.equal(before - socketCount(), 3, 'both of the mesh, and the one that spoke');
  });
});
