// Members through the real command, on a real node alone: what is wrong is refused with what to do.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Cli, Loose, Ran } from '../support/cli.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { documentedMembers } from '../support/documented.js';

let cluster: TestCluster;
let cli: Cli;

before(async () => {
  cluster = await startCluster({ nodes: 1 });
  ({ cli } = cluster);
});
after(() => cluster.stop());

const PLACE = '127.0.0.1:9/127.0.0.1:10';

function assertFailed({ code, stdout, stderr }: Ran, exit: number, says: RegExp): void {
  assert.match(stderr, says);
  assert.equal(code, exit, stderr);
  assert.equal(stdout, '');
}

/** Arguments, exit code, and what is said. */
const WRONG: ReadonlyArray<readonly [string, number, RegExp]> = [
  ['add 2', 2, /member "2": write ID=PEER_HOST:PORT\/CLIENT_HOST:PORT, such as 4=/],
  ['add 2=a:1', 2, /write ID=PEER_HOST:PORT/],
  [`add x=${PLACE}`, 2, /write ID=PEER_HOST:PORT/],
  [`add 0=${PLACE}`, 2, /node is missing: give the id of a node/],
  ['add 2=a:0/b:1', 2, /peer_address is no address that others can reach: use HOST:PORT/],
  ['add 2=a:1/b:70000', 2, /client_address is no address that others can reach/],
  [`add 70000=${PLACE}`, 2, /use a whole number from 2 to 65535/],
  [`add 1=${PLACE}`, 4, /node 1 is a member already/],
  ['promote 1', 4, /node 1 is a voter already/],
  ['promote 9', 3, /there is no node 9: deltabase cluster members lists them/],
  ['promote 0', 2, /Use a whole number from 1 on/],
  ['remove 9', 3, /there is no node 9/],
  ['remove 1', 4, /node 1 is the last voter: add another node first/],
  ['remove one', 2, /Use a whole number from 1 on/],
  [`replace 9 2=${PLACE}`, 3, /there is no node 9/],
  [`replace 1 1=${PLACE}`, 4, /node 1 is a member already/],
  ['replace 1 2', 2, /write ID=PEER_HOST:PORT/],
  ['replace 1', 2, /missing required argument 'member'/],
  ['transfer 1 9', 3, /there is no node 9/],
  ['transfer 9 1', 2, /there is no group 9: groups are 0 to 3/],
  ['transfer 1 somebody', 2, /Use a whole number from 1 on/],
];

for (const [args, exit, says] of WRONG) {
  test(`deltabase cluster ${args} is refused`, async () => {
    assertFailed(await cli.run('cluster', ...args.split(' ')), exit, says);
  });
}

test('an address that does not answer is named', async () => {
  const args = ['cluster', 'members', '--address', '127.0.0.1:9', '--timeout', '1'];
  const ran = await cli.run(...args);
  assertFailed(ran, 5, /127\.0\.0\.1:9/);
  const { stderr } = await cli.run(...args, '--json');
  assert.equal(JSON.parse(stderr).error.code, 'UNAVAILABLE');
});

test('a change waits for its node: it says so, others are refused, and it is undone', async () => {
  const begun = await cli.json('cluster', 'add', `2=${PLACE}`, '--no-wait');
  assert.deepEqual(begun, [{ change: 1 }]);
  const waiting = await cli.run('cluster', 'add', `2=${PLACE}`, '--timeout', '1');
  assertFailed(waiting, 5, /deltabase: add 2: joining, \d of 4 groups\n/);
  assert.match(
    waiting.stderr,
    /not through yet: joining, \d of 4 groups; node 2 was not heard of yet: see that it runs/,
  );
  assert.match(
    waiting.stderr,
    /127\.0\.0\.1:9, or undo the change with deltabase cluster remove 2/,
  );
  for (const other of [`add 3=${PLACE}`, 'remove 1', 'promote 2', `replace 1 3=${PLACE}`]) {
    const ran = await cli.run('cluster', ...other.split(' '));
    assertFailed(ran, 4, /node 2 is being added.*undo it with deltabase cluster remove 2/);
  }
  const members = await cli.text('cluster', 'members');
  assert.match(members, /2 +learner +not started +127\.0\.0\.1:10 +127\.0\.0\.1:9\n/);
  assert.match(members, /\nadd 2: joining, \d of 4 groups\n$/);
  const undone = await cli.run('cluster', 'remove', '2', '--json');
  assert.equal(undone.code, 0, undone.stderr);
  const list: Loose = JSON.parse(undone.stdout);
  assert.deepEqual([list.members.length, list.change, list.changes], [1, null, 2]);
  const [whenThrough, begunOnly] = (await documentedMembers()).get('cluster remove')!;
  assert.deepEqual([Object.keys(list), Object.keys(begun[0]!)], [whenThrough, begunOnly]);
  assertFailed(await cli.run('cluster', 'add', `2=${PLACE}`), 4, /use 3 or a higher one/);
});
