// Logs and status of a real cluster of three nodes, some of which go away.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Cli, Loose, Ran } from '../support/cli.js';
import {
  committedEverywhere,
  exampleModule,
  startCluster,
  type TestCluster,
} from '../support/cluster.js';

const GROUPS = 2;

let cluster: TestCluster;
let cli: Cli;
/** The group of counter/visits, which has had five messages. */
let group: string;

before(async () => {
  cluster = await startCluster({ groups: GROUPS });
  ({ cli } = cluster);
  await cli.text('deploy', 'counter', exampleModule('counter'));
  await cli.runWith('1\n2\n3\n4\n5\n', 'send', 'counter', 'visits', 'add', '--ndjson');
  group = (await cli.text('log', 'group', 'counter', 'visits')).trim();
  const entries = await cli.json('log', 'list', group);
  await committedEverywhere(cli, group, entries.at(-1).index);
});
after(() => cluster.stop());

function assertFailed(ran: Ran, code: number, stderr: RegExp): void {
  assert.equal(ran.code, code, ran.stderr);
  assert.match(ran.stderr, stderr);
  assert.equal(ran.stdout, '');
}

/** Seqs of counter/visits in entries. */
function seqsIn(entries: Loose[]): number[] {
  return entries.flatMap(({ deltas }) => deltas.map(({ seq }: Loose) => seq));
}

test('the group of a document is told, the same with --json', async () => {
  assert.deepEqual(await cli.json('log', 'group', 'counter', 'visits'), [{ group: Number(group) }]);
  assert.equal(await cli.text('log', 'group', '$system', 'machines'), '0\n');
  assertFailed(await cli.run('log', 'group', 'B AD', 'x'), 2, /space "B AD": use/);
});

test('the logs of all groups are listed, and whose they are', async () => {
  const text = await cli.text('log', 'list', '--node', '2');
  const [whose, , head, ...rows] = text.trim().split('\n');
  assert.equal(whose, 'node 2 of cluster deltabase');
  assert.match(head!, /^GROUP +LEADER +TERM +FIRST +LAST +COMMITTED +FLUSHED$/);
  assert.equal(rows.length, 1 + GROUPS);
  assert.match(rows[0]!, /^ +0 +[123] +\d+ +1 +\d+ +\d+ +\d+$/);
  const [logs] = await cli.json('log', 'list', '--node', '3');
  assert.deepEqual(Object.keys(logs), ['cluster', 'node', 'recoveries', 'groups']);
  assert.deepEqual([logs.cluster, logs.node], ['deltabase', 3]);
  assert.deepEqual(Object.keys(logs.groups[0]), [
    'group',
    'term',
    'leader',
    'firstIndex',
    'lastIndex',
    'commitIndex',
    'flushedIndex',
  ]);
});

test('the entries of a group are listed with terms and the deltas in them, alike on every node', async () => {
  const entries = await cli.json('log', 'list', group);
  assert.deepEqual(Object.keys(entries[0]), [
    'group',
    'index',
    'term',
    'kind',
    'bytes',
    'committed',
    'summary',
    'deltas',
  ]);
  assert.deepEqual(seqsIn(entries), [1, 2, 3, 4, 5]);
  assert.ok(entries.every(({ committed, term }) => committed && term >= 1));
  assert.equal(
    entries[0].summary,
    'nothing: a leader took office, or a change of members was taken back',
  );
  const activation = entries.find(({ kind }) => kind === 'activate');
  assert.equal(activation.summary, 'counter runs version 1 from here on');
  const [delta] = entries.find(({ kind }) => kind === 'deltas').deltas;
  assert.deepEqual(Object.keys(delta).slice(0, 4), ['space', 'key', 'seq', 'time']);
  for (const node of ['1', '2', '3']) {
    const all = await cli.json('log', 'list', group, '--node', node, '--from', '1');
    // A leader may have changed meanwhile, which adds an entry.
    const same = all.slice(0, entries.length);
    assert.deepEqual(
      same.map(({ index, term, deltas }) => ({ index, term, deltas })),
      entries.map(({ index, term, deltas }) => ({ index, term, deltas })),
    );
  }
  const rows = (await cli.text('log', 'list', group)).trim().split('\n');
  assert.match(rows[0]!, /^INDEX +TERM +KIND +SIZE +TIME +WHAT$/);
  assert.ok(rows.length > entries.length);
  const told = rows.filter((row) => /deltas +\d+ B {2}20\d\d-.*Z {2}counter\/visits@\d/.test(row));
  assert.equal(told.length, entries.filter(({ kind }) => kind === 'deltas').length);
});

test('a part of a log says where it goes on, and an empty one that it is empty', async () => {
  const part = await cli.run('log', 'list', group, '--from', '2', '--limit', '1');
  assert.equal(part.stderr, 'deltabase: there are more: --from 3\n');
  assert.match(part.stdout, /^.*\n +2 .*\n$/);
  const asJson = await cli.json('log', 'list', group, '--from', '2', '--limit', '1');
  assert.deepEqual(
    asJson.map(({ index }) => index),
    [2],
  );
  const none = await cli.run('log', 'list', group, '--from', '1000');
  assert.deepEqual([none.code, none.stdout], [0, '']);
  assert.equal(none.stderr, `deltabase: the log of group ${group} has no entry from 1000 on\n`);
  assert.deepEqual(await cli.json('log', 'list', group, '--from', '1000'), []);
});

test('one entry is shown with its deltas and what caused them', async () => {
  const entries = await cli.json('log', 'list', group);
  const last = entries.findLast(({ kind }) => kind === 'deltas');
  const { index, term } = last;
  const text = await cli.text('log', 'show', group, String(index));
  assert.match(
    text,
    new RegExp(`^index ${index}  term ${term}  \\d deltas?\\ncounter/visits  seq `),
  );
  assert.match(text, / {2}add 5\n {4}by anonymous {2}message \S+ .*\n {4}replace \/n 5\n$/);
  assert.deepEqual(await cli.json('log', 'show', group, String(index)), [last]);
  const ahead = await cli.run('log', 'show', group, '1000');
  assertFailed(ahead, 2, /has no entry 1000 yet: it has 1 to \d+ \(INVALID_ARGUMENT\)/);
});

test('what cannot be asked of a log is refused, saying what can', async () => {
  const log = (...args: string[]): Promise<Ran> => cli.run('log', ...args);
  for (const command of [
    ['list', '9'],
    ['show', '9', '1'],
    ['tail', '9'],
  ]) {
    assertFailed(await log(...command), 2, /there is no group 9: groups are 0 to 2/);
  }
  assertFailed(await log('list', 'x'), 2, /^deltabase: value 'x' is invalid for argument 'group'/);
  assertFailed(await log('show', group, '0'), 2, /whole number from 1 on/);
  assertFailed(await log('list', '--from', '2'), 2, /--from and --limit are for .* one group/);
  assertFailed(await log('list', '--node', '9'), 3, /there is no node 9: there are 1, 2, 3/);
  assertFailed(await log('list', '--data', 'x', '--node', '1'), 2, /cannot be used with.*--node/);
  assertFailed(await log('list', '--data', 'x', '-a', 'x:1'), 2, /cannot be used with.*--address/);
});

test('the status shows all nodes by id, and of each group who leads and how far its copies are', async () => {
  const text = await cli.text('status');
  const [title, , head, ...rest] = text.split('\n');
  assert.equal(title, 'cluster deltabase: 3 of 3 nodes answer');
  assert.match(head!, /^NODE +ADDRESS +STATE +VERSION +UP +LEADS .* MEMORY +DISK$/);
  for (const [at, node] of cluster.cluster.nodes.entries()) {
    assert.match(rest[at]!, new RegExp(`^ +${node.id}  ${node.clientAddress} +up +\\d`));
  }
  assert.match(text, /\n +0 +[123] +\d+ +1-\d+ +\d+ +\d+ +0 {2}1:\d+ 2:\d+ 3:\d+\n/);
  const [{ nodes }] = await cli.json('status');
  assert.deepEqual(
    nodes.map(({ node }: Loose) => node),
    [1, 2, 3],
  );
  const { status } = nodes[0];
  assert.deepEqual(Object.keys(status), [
    'cluster',
    'node',
    'version',
    'uptimeMs',
    'draining',
    'diskStalled',
    'diskLow',
    'counters',
    'members',
    'recoveries',
    'replicas',
    'via',
    'groups',
  ]);
  assert.equal(status.groups.length, 1 + GROUPS);
  const twice = `localhost:${cluster.cluster.node(1).clientAddress.split(':')[1]}`;
  const all = await cli.text('status', '-a', `${twice},${cluster.cluster.node(1).clientAddress}`);
  assert.match(all, /^cluster deltabase: 3 of 3 nodes answer\n/, 'no node is shown twice');
});

test('a tail gives what is committed from then on, and outlives the node it was read from', async () => {
  const { cluster: processes } = cluster;
  const tailing = cli.start('log', 'tail', '--json');
  const stopping = cli.start('log', 'tail', group, '--limit', '1');
  // A tail has begun once it shows what is sent now.
  const begun = (): boolean => tailing.lines.length > 0 && stopping.lines.length > 0;
  while (!begun()) await cli.text('send', 'counter', 'visits', 'add');
  assert.equal((await stopping.ended()).code, 0);
  assert.match(stopping.stdout, new RegExp(`^group ${group}  index \\d+  term \\d+  1 delta\n`));
  assert.equal(stopping.stdout.match(/^group/gm)?.length, 1);

  const [{ nodes }] = await cli.json('status');
  const leader = nodes[0].status.groups[Number(group)].leader;
  await processes.node(leader).stop('SIGKILL');
  const { stdout } = await cli.run('send', 'counter', 'visits', 'add', '{"by": 1000}');
  const seq = Number(/^seq (\d+)/.exec(stdout)![1]);
  const tailed = (): Loose[] => tailing.lines.map((line) => JSON.parse(line));
  await tailing.until(() => seqsIn(tailed()).includes(seq));
  tailing.kill('SIGTERM');
  const { code, stderr } = await tailing.ended();
  assert.deepEqual([code, stderr], [143, '']);
  const seqs = seqsIn(tailed());
  assert.deepEqual(
    seqs,
    seqs.map((_, at) => seqs[0]! + at),
    'no gap and no repeat',
  );

  const status = await cli.run('status');
  assert.equal(status.code, 0);
  assert.match(status.stdout, /^cluster deltabase: 2 of 3 nodes answer\n/);
  const { clientAddress } = processes.node(leader);
  assert.match(status.stdout, new RegExp(`\n +${leader}  ${clientAddress} +no answer\n`));
  const [json] = await cli.json('status');
  const gone = json.nodes[leader - 1];
  assert.deepEqual([gone.node, gone.error.code], [leader, 'UNAVAILABLE']);
  const asked = await cli.run('log', 'list', '--node', String(leader));
  assertFailed(asked, 5, /ECONNREFUSED.*\(UNAVAILABLE\)\n$/);
  await processes.node(leader).start();
});

test('an entry that was compacted away is told apart from one that is yet to come', async () => {
  const limits = 'flushIntervalMs=50,trailingLogBytesMax=1000';
  const small = await startCluster({ nodes: 1, groups: 1, flags: { limits } });
  try {
    await small.cli.text('deploy', 'counter', exampleModule('counter'));
    for (let first = 1; first <= 1; ) {
      await small.cli.runWith('1\n'.repeat(20), 'send', 'counter', 'visits', 'add', '--ndjson');
      const [logs] = await small.cli.json('log', 'list');
      first = logs.groups[1].firstIndex;
    }
    const gone = await small.cli.run('log', 'show', '1', '1');
    assertFailed(
      gone,
      4,
      /has no entry 1 any more, .*compacted: it has \d+ to \d+ \(HISTORY_GONE\)/,
    );
    const [oldest] = await small.cli.json('log', 'list', '1', '--limit', '1');
    assert.ok(oldest.index > 1);
  } finally {
    await small.stop();
  }
});
