// What the data directory of a stopped node tells, against what the cluster told while it ran.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cli, type Loose, type Ran } from '../support/cli.js';
import {
  committedEverywhere,
  exampleModule,
  startCluster,
  type TestCluster,
} from '../support/cluster.js';

const DELTAS = 3000;

let cluster: TestCluster;
/** Commands with a folder for temporary files in which nothing may stay. */
let cli: Cli;
let scratch: string;
let group: string;
/** As the cluster told them. */
let entries: Loose[];
let deltas: Loose[];
/** Data directories: of a node that was killed, and of one that was stopped in order. */
let killed: string;
let stopped: string;

before(async () => {
  cluster = await startCluster({ groups: 2 });
  scratch = join(cluster.folder, 'scratch');
  await mkdir(scratch);
  cli = new Cli({ env: { ...cluster.env, TMPDIR: scratch } });
  await cli.text('deploy', 'counter', exampleModule('counter'));
  const lines = Array.from({ length: DELTAS }, (_, at) => `${JSON.stringify({ by: at })}\n`).join(
    '',
  );
  await cli.runWith(lines, 'send', 'counter', 'visits', 'add', '--ndjson');
  await cli.text('send', 'counter', 'other', 'add');
  group = (await cli.text('log', 'group', 'counter', 'visits')).trim();
  deltas = await cli.json('history', 'counter', 'visits');
  entries = await cli.json('log', 'list', group);
  await committedEverywhere(cli, group, entries.at(-1).index);
  const [first, second] = cluster.cluster.nodes;
  await first!.stop('SIGTERM');
  await second!.stop('SIGKILL');
  stopped = first!.dataDir;
  killed = second!.dataDir;
});
after(async () => {
  const left = await readdir(scratch);
  await cluster.stop();
  assert.deepEqual(left, [], 'no command left temporary files');
});

function assertFailed(ran: Ran, code: number, stderr: RegExp): void {
  assert.equal(ran.code, code, ran.stderr);
  assert.match(ran.stderr, stderr);
  assert.equal(ran.stdout, '');
}

/** The content of every file below a folder. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    found[path] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  }
  return found;
}

test('a history is the same from the files of a node as from the cluster', async () => {
  for (const data of [killed, stopped]) {
    const stored = await cli.json('history', 'counter', 'visits', '--data', data);
    assert.equal(stored.length, DELTAS);
    assert.deepEqual(
      stored.map(({ committed: _, ...delta }) => delta),
      deltas.map(({ committed: _, ...delta }) => delta),
    );
    const part = ['--from', '2999', '--limit', '1'];
    const [one] = await cli.json('history', 'counter', 'visits', '--data', data, ...part);
    assert.equal(one.seq, 2999);
  }
  const text = await cli.text('history', 'counter', 'other', '--data', killed);
  assert.match(text, /^seq 1 {2}.*Z {2}add null\n/);
});

test('a log is the same from the files of a node as from the cluster', async () => {
  for (const data of [killed, stopped]) {
    const stored = await cli.json('log', 'list', group, '--data', data);
    const common = stored.filter(({ index }) => index <= entries.at(-1).index);
    assert.deepEqual(
      common.map(({ committed: _, ...entry }) => entry),
      entries.map(({ committed: _, ...entry }) => entry),
    );
    const wanted = entries.find(({ deltas: [delta] }) => delta?.key === 'visits');
    const index = String(wanted.index);
    const [shown] = await cli.json('log', 'show', group, index, '--data', data);
    assert.deepEqual(shown, wanted);
    assert.match(
      await cli.text('log', 'show', group, index, '--data', data),
      /counter\/visits {2}seq/,
    );
    assert.match(await cli.text('log', 'list', group, '--data', data), /^INDEX +TERM/);
    assert.equal(await cli.text('log', 'group', 'counter', 'visits', '--data', data), `${group}\n`);
  }
});

test('the files say whose they are and how far their groups came; of a leader they cannot know', async () => {
  const [logs] = await cli.json('log', 'list', '--data', killed);
  assert.deepEqual([logs.cluster, logs.node, logs.groups.length], ['deltabase', 2, 3]);
  assert.ok(!('leader' in logs.groups[0]));
  assert.ok(logs.groups[Number(group)].lastIndex >= entries.at(-1).index);
  const text = await cli.text('log', 'list', '--data', killed);
  assert.match(text, /^node 2 of cluster deltabase\n\nGROUP .*\n +0 +- +\d+ /);
});

test('what is not in the files is told as by a cluster', async () => {
  const at = ['--data', killed];
  for (const from of ['1', '5']) {
    const none = await cli.run('history', 'counter', 'none', '--from', from, ...at);
    assertFailed(none, 3, /counter\/none has no history in .*node-2 \(DOCUMENT_NOT_FOUND\)/);
  }
  const beyond = await cli.run('history', 'counter', 'visits', '--from', '99999', ...at);
  assert.deepEqual([beyond.code, beyond.stdout], [0, '']);
  assert.equal(beyond.stderr, 'deltabase: counter/visits has no delta from seq 99999 on\n');
  assertFailed(await cli.run('log', 'list', '9', ...at), 2, /no group 9: groups are 0 to 2/);
  assertFailed(await cli.run('log', 'show', group, '99999', ...at), 2, /no entry 99999 yet/);
  assertFailed(await cli.run('history', 'B AD', 'x', ...at), 2, /space "B AD": use/);
});

test('nothing in the directory is changed, not even what a crash left in it', async () => {
  const data = join(cluster.folder, 'left');
  await cp(killed, data, { recursive: true });
  // LevelDB takes the next free numbers for what it writes as it opens: they must not lead here.
  const log = (await readdir(join(data, 'store'))).find((name) => name.endsWith('.log'))!;
  for (let number = Number.parseInt(log, 10) + 1, end = number + 8; number < end; number++) {
    await writeFile(
      join(data, 'store', `${String(number).padStart(6, '0')}.ldb`),
      'left by a crash',
    );
  }
  const beforehand = await contents(data);
  await cli.text('history', 'counter', 'visits', '--data', data);
  await cli.text('log', 'list', '--data', data);
  assert.deepEqual(await contents(data), beforehand);
});

test('the data of a node that runs is left alone', async () => {
  const { dataDir } = cluster.cluster.node(3);
  const ran = await cli.run('log', 'list', '--data', dataDir, '--json');
  assert.deepEqual([ran.code, ran.stdout], [5, '']);
  const { error } = JSON.parse(ran.stderr);
  assert.equal(error.code, 'UNAVAILABLE');
  assert.match(error.message, /node-3 is in use: ask its node with --address, or stop it first$/);
});

test('a directory that is no node’s is refused and stays as it is', async () => {
  const empty = join(cluster.folder, 'empty');
  await mkdir(join(empty, 'store'), { recursive: true });
  for (const data of [empty, join(cluster.folder, 'none'), exampleModule('counter')]) {
    const ran = await cli.run('log', 'list', '--data', data);
    assertFailed(ran, 2, /there is no node's data in .*: name a directory that a node was/);
  }
  assert.deepEqual(await readdir(join(empty, 'store')), []);
});

test('damaged data is told as damaged, by the name of its directory', async () => {
  const damaged = async (name: string, damage: (store: string) => Promise<void>): Promise<Ran> => {
    const data = join(cluster.folder, name);
    await cp(killed, data, { recursive: true });
    await damage(join(data, 'store'));
    return cli.run('history', 'counter', 'visits', '--data', data);
  };
  const lost = await damaged('lost', (store) => writeFile(join(store, 'CURRENT'), 'nothing\n'));
  assertFailed(
    lost,
    1,
    /^deltabase: the data directory \S+lost\/store cannot be opened .*never repair/,
  );
  assert.ok(!lost.stderr.includes(scratch));
});

test('a command that is stopped in the middle leaves nothing behind', async () => {
  const reading = cli.start('history', 'counter', 'visits', '--data', killed);
  // Nobody reads on, so it cannot come to its end by itself.
  reading.process.stdout!.once('data', () => reading.process.stdout!.pause());
  await reading.until(() => reading.process.stdout!.isPaused());
  assert.notDeepEqual(await readdir(scratch), []);
  reading.kill('SIGINT');
  const code = await new Promise((resolve) => reading.process.once('exit', resolve));
  assert.equal(code, 130);
  assert.deepEqual(await readdir(scratch), []);
  reading.process.stdout!.resume();
});
