// deltabase recover: what it says, what it refuses, and what it leaves. test/suite/recover.test.ts has the whole procedure.

import assert from 'node:assert/strict';
import { cp, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ProcessNode } from '@deltabase/testkit';
import type { Cli, Ran } from '../support/cli.js';
import {
  committedEverywhere,
  exampleModule,
  startCluster,
  type TestCluster,
} from '../support/cluster.js';
import { documentedMembers } from '../support/documented.js';

let cluster: TestCluster;
let cli: Cli;
let nodes: readonly ProcessNode[];

before(async () => {
  cluster = await startCluster({ nodes: 3, groups: 2 });
  ({ cli } = cluster);
  nodes = cluster.cluster.nodes;
  await cli.text('deploy', 'counter', exampleModule('counter'));
  await cli.text('send', 'counter', 'visits', 'add', '{"by": 7}');
  const group = (await cli.text('log', 'group', 'counter', 'visits')).trim();
  const [entry] = (await cli.json('log', 'list', group)).slice(-1);
  await committedEverywhere(cli, group, entry.index);
});
after(() => cluster.stop());

function assertRefused(ran: Ran, code: number, stderr: RegExp): void {
  assert.match(ran.stderr, stderr);
  assert.deepEqual([ran.code, ran.stdout], [code, '']);
}

/** A copy of a node's data directory, which a test may do anything to. */
async function copyOf(node: ProcessNode, name: string): Promise<string> {
  const path = join(cluster.folder, name);
  await cp(node.dataDir, path, { recursive: true });
  return path;
}

test('a node that runs is left alone, and a folder without data', async () => {
  const [first] = nodes;
  for (const more of [[], ['--give-up', '2,3']]) {
    assertRefused(await cli.run('recover', first!.dataDir, ...more), 5, /in use.*stop it first/);
    assertRefused(await cli.run('recover', cluster.folder, ...more), 2, /no node's data/);
  }
});

test('a quorum that is there is to be started instead, and a node that answers is not lost', async () => {
  const [first, second] = nodes;
  await first!.stop('SIGTERM');
  await second!.stop('SIGTERM');
  const both = [first!.dataDir, '--with', second!.dataDir];
  for (const more of [[], ['--give-up', '3']]) {
    assertRefused(await cli.run('recover', ...both, ...more), 4, /no quorum is lost: node 1, 2/);
  }
  const ran = await cli.run('recover', first!.dataDir, '--give-up', '2,3');
  assertRefused(ran, 4, /node 3 answers at .* so it is not lost/);
  await nodes[2]!.stop('SIGTERM');
});

test('without --give-up it says what there is and changes nothing', async () => {
  const data = await copyOf(nodes[0]!, 'looked-at');
  const text = await cli.text('recover', data);
  assert.match(text, /data of node 1 is here, of node 2, 3 is not/);
  assert.match(text, /^GROUP +QUORUM +TAKEN FROM +LAST ENTRY +COMMITTED\n +0 +lost +node 1 /m);
  assert.match(text, /DATA MAY BE LOST/);
  assert.ok(text.includes(`  deltabase recover ${data} --give-up 2,3\n`), text);
  const [json] = await cli.json('recover', data);
  assert.deepEqual([Object.keys(json)], (await documentedMembers()).get('recover'));
  assert.deepEqual([json.recovered, json.givenUp, json.groups.length], [false, [2, 3], 3]);
  assert.equal(json.clusterId, json.formerId);
  const [again] = await cli.json('recover', data);
  assert.deepEqual(again, json);
  const [logs] = await cli.json('log', 'list', '--data', data);
  assert.deepEqual(logs.recoveries, []);
});

test('only the exact list of nodes confirms', async () => {
  const data = await copyOf(nodes[0]!, 'confirmed');
  for (const list of ['2', '2,3,4', '1,2,3', '4']) {
    const ran = await cli.run('recover', data, '--give-up', list);
    assertRefused(ran, 2, /what would be given up is node 2, 3, not /);
  }
  assertRefused(await cli.run('recover', data, '--give-up', 'all'), 2, /Use a whole number/);
  assertRefused(await cli.run('recover', data, '--give-up', '2,,3'), 2, /Use ids, such as 2,3/);
  assert.equal((await cli.json('recover', data))[0].recovered, false);
});

test('a damaged directory is refused, be it what goes on or what more is taken from', async () => {
  const whole = await copyOf(nodes[0]!, 'whole');
  const lacksTail = await copyOf(nodes[1]!, 'lacks-tail');
  const store = join(lacksTail, 'store');
  for (const name of await readdir(store)) {
    if (!name.endsWith('.log')) continue;
    const file = await open(join(store, name), 'r+');
    await file.truncate(0);
    await file.close();
  }
  for (const more of [[], ['--give-up', '1,3']]) {
    assertRefused(await cli.run('recover', lacksTail, ...more), 1, /DATA_CORRUPT/);
  }
  for (const more of [[], ['--give-up', '3']]) {
    const ran = await cli.run('recover', whole, '--with', lacksTail, ...more);
    assertRefused(ran, 1, /DATA_CORRUPT/);
  }
  await rm(join(whole, 'acknowledged'));
  await rm(join(whole, 'store', 'CURRENT'));
  assertRefused(await cli.run('recover', whole, '--give-up', '2,3'), 2, /no node's data/);
});

test('what is recovered says so, is not recovered with what was before, and has all its data', async () => {
  const data = await copyOf(nodes[0]!, 'recovered');
  const text = await cli.text('recover', data, '--give-up', '2,3');
  assert.match(text, /DATA MAY BE LOST/);
  const [, clusterId] = /cluster deltabase is ([0-9a-f]{16}) now, with node 1 as its only/.exec(
    text,
  )!;
  const [logs] = await cli.json('log', 'list', '--data', data);
  const [{ node, givenUp, takenFrom, formerId, timeMs }] = logs.recoveries;
  assert.deepEqual([node, givenUp, takenFrom], [1, [2, 3], []]);
  assert.notEqual(formerId, clusterId);
  assert.ok(Math.abs(Date.now() - timeMs) < 60_000);
  assert.match(await cli.text('log', 'list', '--data', data), /recovered from a lost quorum at /);
  const [delta] = await cli.json('history', 'counter', 'visits', '--data', data);
  assert.deepEqual(delta.cause.payload, { by: 7 });
  // It has its quorum, which is itself.
  assertRefused(await cli.run('recover', data), 4, /no quorum is lost: node 1 can go on/);
  const old = await cli.run('recover', data, '--with', nodes[1]!.dataDir);
  assertRefused(old, 4, /NODE_MISMATCH/);
});
