// Commands that are given the address of a replica, while its cluster is there and after that.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '@deltabase/client';
import { freePorts } from '@deltabase/testkit';
import { exampleModule, startCluster } from '../support/cluster.js';

/** What a copy takes that has no state, bytes. */
const EMPTY_COPY_BYTES = 1024;

test('commands find the node behind a replica, and get stale reads of the replica when the node has gone', async () => {
  const { cluster, cli, stop } = await startCluster({ nodes: 1 });
  const [port] = await freePorts(1);
  const [address, upstream] = [`127.0.0.1:${port}`, cluster.addresses.join(',')];
  await cli.text('deploy', 'counter', exampleModule('counter'));
  await cli.text('send', 'counter', 'visits', 'add', '{"by":5}');
  const places = ['--upstream', upstream, '--listen', address];
  const replica = cli.start('replica', ...places, '--hold', 'counter/visits');
  try {
    await replica.until(() => replica.stdout.includes('"msg":"upstream"'));
    const [{ nodes }] = await cli.json('status', '--address', address);
    const [{ node, address: shown, status }] = nodes;
    assert.deepEqual([nodes.length, node, shown, status.node], [1, 1, upstream, 1]);
    await hasState(address);
    await cluster.node(1).stop('SIGKILL');
    const get = ['get', 'counter', 'visits', '--address', address];
    const [read] = await cli.json(...get, '--mode', 'stale');
    assert.deepEqual([read.seq, read.value], [1, { n: 5 }]);
    const fresh = await cli.run(...get, '--timeout', '1');
    assert.equal(fresh.code, 5);
    assert.match(fresh.stderr, /has no way to the cluster.*UNAVAILABLE/);
  } finally {
    replica.kill('SIGTERM');
    await replica.ended();
    await stop();
  }
});

/** Waits until the replica has the state of its only copy. */
async function hasState(address: string): Promise<void> {
  const client = await connect({ addresses: [address] });
  const untilMs = performance.now() + 10_000;
  for (;;) {
    const { copiesBytes } = await client.cluster.replica(address);
    if (copiesBytes > EMPTY_COPY_BYTES) break;
    assert.ok(performance.now() < untilMs, `the copy has ${copiesBytes} bytes, so no state`);
  }
  await client.close();
}
