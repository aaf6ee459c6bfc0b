// A node that has lost its data, or whose data are damaged, does not come back as who it was: it is refused, says what
// to do, and is replaced by one with a new id, while the others serve.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import type { Client } from '@deltabase/client';
import type { ProcessCluster, ProcessNode } from '@deltabase/testkit';
import { flipBit, removeFolder } from '../src/faults/damage/damages.js';
import { connectAndDeploy, withCluster } from '../src/scratch.js';

const REMOVED = 4;
const CORRUPT = 1;
const DOCUMENTS = 20;

test('a wiped node is refused under its id, whatever it is started with, and one with a new id takes its place', {
  timeout: 120_000,
}, async () => {
  await withFilledCluster(async (cluster, client) => {
    const wiped = cluster.node(2);
    await wiped.stop('SIGKILL');
    await rm(wiped.dataDir, { recursive: true });
    await assertExpelled(wiped);
    // What it was told is written down: it does not ask again, and takes no part.
    await assertExpelled(wiped);
    await send(client, 2);
    await assert.rejects(client.members.promote(2), { code: 'MEMBERS_REFUSED' });
    await replace(cluster, client, { old: 2, by: 4 });
    await cluster.node(1).stop('SIGTERM');
    await send(client, 3);
  });
});

test('a node that joined and was wiped cannot join again under its id', {
  timeout: 120_000,
}, async () => {
  await withFilledCluster(async (cluster, client) => {
    await cluster.node(3).stop('SIGKILL');
    await replace(cluster, client, { old: 3, by: 4 });
    const joined = cluster.node(4);
    await joined.stop('SIGKILL');
    await rm(joined.dataDir, { recursive: true });
    await assert.rejects(
      joined.start(),
      /node 4 has lost the data it had.*cluster replace 4 NEW=/s,
    );
    assert.equal(await joined.exited, REMOVED);
    await replace(cluster, client, { old: 4, by: 5 });
    await send(client, 2);
  });
});

test('a node whose files are damaged refuses to start, says so, and is replaced', {
  timeout: 120_000,
}, async () => {
  await withFilledCluster(async (cluster, client) => {
    const damaged = cluster.node(3);
    await damaged.stop('SIGKILL');
    assert.ok((await flipBit('log')(damaged.dataDir, makePrng(1))) !== undefined);
    await removeFolder('store')(damaged.dataDir, makePrng(1));
    await assert.rejects(damaged.start(), /replace .* fresh/);
    assert.equal(await damaged.exited, CORRUPT);
    await replace(cluster, client, { old: 3, by: 4 });
    await cluster.node(2).stop('SIGKILL');
    await send(client, 2);
  });
});

/** Runs `use` with a cluster that has some documents, each sent to once. */
async function withFilledCluster(
  use: (cluster: ProcessCluster, client: Client) => Promise<void>,
): Promise<void> {
  await withCluster({ groups: 3 }, async (cluster) => {
    const client = await connectAndDeploy(cluster.addresses, 'counter');
    try {
      await send(client, 1);
      await use(cluster, client);
    } finally {
      await client.close({ abandon: true });
    }
  });
}

/** Sends to each document for the `time`th time: it has all of before, once. */
async function send(client: Client, time: number): Promise<void> {
  const sent = Array.from({ length: DOCUMENTS }, async (_, at) => {
    const { reply } = await client.document('counter', `d${at}`).send('add', { by: 1 });
    assert.equal(reply, time, `document ${at}`);
  });
  await Promise.all(sent);
}

/** A node starts, or not even that, is told by the others that its data are not its own, and ends. */
async function assertExpelled(node: ProcessNode): Promise<void> {
  await node.start().catch(() => {});
  assert.equal(await node.exited, REMOVED);
  const said = node.log.join('\n');
  assert.match(said, /node 2 has lost the data it had/);
  assert.match(said, /deltabase cluster replace 2 NEW=PEER\/CLIENT/);
}

async function replace(
  cluster: ProcessCluster,
  client: Client,
  { old, by }: { readonly old: number; readonly by: number },
): Promise<void> {
  const { node, member } = await cluster.makeJoining(by);
  const change = await client.members.replace(old, member);
  await node.start();
  const { members } = await client.members.done(change, { deadlineMs: 60_000 });
  const voters = members.filter(({ role }) => role === 'voter').map((one) => one.node);
  assert.ok(voters.includes(by) && !voters.includes(old) && voters.length === 3, String(voters));
}
