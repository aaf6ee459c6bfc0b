import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { blockedPorts } from '../../src/tour/addresses.js';
import { LocalCluster } from '../../src/tour/local-cluster.js';

/** The first of six ports that are free now. */
async function freePorts(): Promise<number> {
  let port = 33_000 + (process.pid % 1000) * 6;
  while ((await blockedPorts(port)).length > 0) port += 6;
  return port;
}

test('a node that dies again and again is given up, and without a majority the cluster is lost', {
  timeout: 60_000,
}, async () => {
  const data = await mkdtemp(join(tmpdir(), 'deltabase-'));
  const cluster = new LocalCluster({ data, port: await freePorts(), env: process.env });
  try {
    for (const node of ['node-1', 'node-2']) {
      await mkdir(join(data, node));
      await writeFile(join(data, node, 'store'), 'in the way');
    }
    const events: string[] = [];
    cluster.keepAlive((event) => {
      const { id } = event.kind === 'restarted' ? event.node : event.death.node;
      events.push(`${event.kind} ${id}`);
    });
    await cluster.start();
    await assert.rejects(cluster.lost, {
      code: 'UNAVAILABLE',
      message: 'only 1 of 3 nodes is left, and nothing can be answered without a majority',
    });
    for (const id of [1, 2]) {
      assert.deepEqual(
        events.filter((event) => event.endsWith(` ${id}`)),
        [`died ${id}`, `restarted ${id}`, `died ${id}`, `restarted ${id}`, `given-up ${id}`],
      );
    }
    assert.ok(cluster.nodes[2]!.pid !== undefined, 'the third node runs');
  } finally {
    await cluster.stop();
    assert.deepEqual(
      cluster.nodes.map(({ pid }) => pid),
      [undefined, undefined, undefined],
    );
    await rm(data, { recursive: true, force: true });
  }
});
