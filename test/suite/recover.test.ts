// A real cluster loses two of three nodes for good, under load, and goes on from the third: the procedure of
// docs/operations.md. The clients are there all the time, and retry what was not answered.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { makePrng } from '@deltabase/base';
import type { ProcessCluster } from '@deltabase/testkit';
import { connectAndDeploy, withCluster } from '../src/scratch.js';
import { TokenLoad } from '../src/token-load.js';
import { ROOT } from '../src/workspace.js';

const BIN = join(ROOT, 'packages/tools/cli/bin/deltabase.mjs');
/** Longer than the cluster is away. */
const DEADLINE_MS = 120_000;
const REMOVED = 4;

async function deltabase(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [BIN, ...args]);
  return stdout;
}

/** Adds a fresh node, and waits until it votes in all groups. */
async function grow(cluster: ProcessCluster, id: number): Promise<void> {
  const { node, member } = await cluster.makeJoining(id);
  const { peerAddress, clientAddress } = member;
  const place = `${id}=${peerAddress}/${clientAddress}`;
  const added = deltabase('cluster', 'add', place, '--address', cluster.node(1).clientAddress);
  await node.start();
  await added;
}

test('a cluster goes on from one of three nodes, with all that it had, and grows to three again', {
  timeout: 240_000,
}, async (t) => {
  await withCluster({ groups: 4 }, async (cluster) => {
    const [first, second, third] = cluster.nodes;
    const client = await connectAndDeploy(cluster.addresses, 'text');
    const random = makePrng(1);
    const options = { random, writers: 32, documents: 40, deadlineMs: DEADLINE_MS };
    const load = new TokenLoad(client, options);
    try {
      await load.progressed(500);
      // From now on nothing is acknowledged that the first has not.
      third!.signal('SIGSTOP');
      await load.progressed(500);
      await Promise.all([second!.stop('SIGKILL'), third!.stop('SIGKILL')]);
      await first!.stop('SIGKILL');
      const { acknowledged } = load;
      const kept = `${third!.dataDir}-kept`;
      await cp(third!.dataDir, kept, { recursive: true });
      for (const { dataDir } of [second!, third!]) await rm(dataDir, { recursive: true });

      const told = await deltabase('recover', first!.dataDir, '--give-up', '2,3');
      assert.match(told, /DATA MAY BE LOST[\s\S]*with node 1 as its only member/);
      await first!.start();
      await load.progressed(500);
      t.diagnostic(`${acknowledged} acknowledged before, and 500 more by node 1 alone`);

      await grow(cluster, 4);
      await grow(cluster, 5);
      await load.progressed(500);
      const members = await deltabase('cluster', 'members', '--address', first!.clientAddress);
      for (const id of [1, 4, 5]) assert.match(members, new RegExp(`^ +${id} +voter +up `, 'm'));
      assert.match(members, /recovered from a lost quorum at .*: from node 1, without node 2, 3;/);

      await cp(kept, third!.dataDir, { recursive: true });
      const refused = first!.said(/as it was before it was recovered.*"peer-refused"/);
      await third!.start();
      assert.equal(await third!.exited, REMOVED, 'a node of before is told, and ends');
      assert.match(third!.log.at(-1)!, /recovered without this data directory/);
      await assert.rejects(third!.start(), /recovered without this data directory/);
      await refused;

      await load.progressed(500);
      const report = await load.stop();
      t.diagnostic(JSON.stringify(report));
      assert.equal(report.refused + report.unknown, 0, 'every message was answered in the end');
      await load.check([1, 4, 5].map((id) => cluster.node(id)));
    } finally {
      load.abandon();
      await client.close({ abandon: true });
    }
  });
});
