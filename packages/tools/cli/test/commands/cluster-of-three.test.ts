// deltabase cluster on a real cluster: who is in it, who comes and goes, and who leads what (cluster.test.ts: what is refused).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Cli, Loose, Ran } from '../support/cli.js';
import { exampleModule, startCluster, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster;
let cli: Cli;

before(async () => {
  cluster = await startCluster({ groups: 2 });
  ({ cli } = cluster);
  await cli.text('deploy', 'counter', exampleModule('counter'));
});
after(() => cluster.stop());

function assertFailed(ran: Ran, code: number, stderr: RegExp): void {
  assert.match(ran.stderr, stderr);
  assert.deepEqual([ran.code, ran.stdout], [code, '']);
}

async function members(): Promise<Loose> {
  const [list] = await cli.json('cluster', 'members');
  return list;
}

test('the members are listed for people and for programs', async () => {
  // Each has to be heard of first.
  while ((await members()).members.some(({ joined }: Loose) => !joined));
  const text = await cli.text('cluster', 'members');
  assert.match(text, /^cluster deltabase [0-9a-f]{16}\n\nNODE {2}ROLE +STATE +CLIENTS +PEERS\n/);
  for (const id of [1, 2, 3]) assert.match(text, new RegExp(`^ +${id} +voter +up +127`, 'm'));
  const list = await members();
  assert.deepEqual(Object.keys(list), [
    ...['cluster', 'clusterId', 'members', 'change', 'changes', 'preferredLeaders', 'recoveries'],
  ]);
  assert.deepEqual([list.change, list.changes, list.recoveries], [null, 0, []]);
});

test('a group is led where an operator wants it, through any node, until that is taken back', async () => {
  for (const [at, to] of [3, 1, 2].entries()) {
    const address = cluster.cluster.addresses[at]!;
    const told = await cli.text('cluster', 'transfer', '1', String(to), '--address', address);
    assert.equal(told, `node ${to} leads group 1\n`);
    const [{ nodes }] = await cli.json('status');
    const leader = nodes.find(({ node }: Loose) => node === to).status.groups[1];
    assert.deepEqual([leader.role, leader.leader], ['leader', to]);
  }
  assert.deepEqual((await members()).preferredLeaders, [{ group: 1, node: 2 }]);
  const [json] = await cli.json('cluster', 'transfer', '1', '2');
  assert.deepEqual(json, { group: 1, leader: 2 });
  const auto = await cli.text('cluster', 'transfer', '1', 'auto');
  assert.equal(auto, 'the cluster chooses who leads group 1\n');
  assert.deepEqual((await members()).preferredLeaders, []);
});

test('a node comes as a learner, votes once it is promoted, and goes', async () => {
  const { node, member } = await cluster.cluster.makeJoining(4);
  const place = `4=${member.peerAddress}/${member.clientAddress}`;
  const begun = await cli.text('cluster', 'add', place, '--learner', '--no-wait');
  assert.match(begun, /^change \d+ has begun\n$/);
  const lagging = await cli.run('cluster', 'promote', '4');
  assertFailed(lagging, 4, /under way|has not caught up/);
  await node.start();
  const promoted = await promotedWhenReady();
  assert.deepEqual(
    promoted.members.map(({ node: id, role }: Loose) => [id, role]),
    [1, 2, 3, 4].map((id) => [id, 'voter']),
  );
  const removed = await cli.run('cluster', 'remove', '4');
  assert.equal(removed.code, 0, removed.stderr);
  assert.doesNotMatch(removed.stdout, /^ +4 /m);
  assert.equal(await node.exited, 4, 'it is told, and ends');
});

/** It can be promoted as soon as it has caught up in all groups. */
async function promotedWhenReady(): Promise<Loose> {
  for (;;) {
    const { code, stdout, stderr } = await cli.run('cluster', 'promote', '4', '--json');
    if (code === 0) return JSON.parse(stdout);
    assert.match(stderr, /under way|has not caught up/);
  }
}
