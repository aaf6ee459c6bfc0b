import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { addressesFrom, blockedPorts, checkPorts } from '../../src/tour/addresses.js';

test('the first node has the given port, and all ports follow one another', () => {
  assert.deepEqual(addressesFrom(7410), [
    { node: 1, client: '127.0.0.1:7410', peer: '127.0.0.1:7411' },
    { node: 2, client: '127.0.0.1:7412', peer: '127.0.0.1:7413' },
    { node: 3, client: '127.0.0.1:7414', peer: '127.0.0.1:7415' },
  ]);
});

test('a port that another process holds is named, with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const blocked = await blockedPorts(port - 3);
    assert.ok(blocked.some((each) => each.port === port && each.reason === 'EADDRINUSE'));
    await assert.rejects(checkPorts(port), {
      code: 'UNAVAILABLE',
      message: new RegExp(
        `^port ${port} is in use by another process: .*npm start -- --port \\d+$`,
      ),
    });
  } finally {
    await once(server.close(), 'close');
  }
  const blocked = await blockedPorts(port);
  assert.ok(!blocked.some((each) => each.port === port), 'it is free again');
});
