// Every example in the help of every command, run as it stands by a shell: against a real cluster, in a folder
// that holds the files that they name.

import assert from 'node:assert/strict';
import { chmod, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { BIN, Running } from './support/cli.js';
import {
  committedEverywhere,
  exampleModule,
  otherModule,
  startCluster,
  type TestCluster,
} from './support/cluster.js';
import { documentedMembers } from './support/documented.js';
import { COMMANDS, examplesOf, helpOf } from './support/help.js';

let cluster: TestCluster;
let folder: string;
let env: Record<string, string>;

before(async () => {
  cluster = await startCluster({ groups: 1 });
  folder = join(cluster.folder, 'here');
  const module = join(folder, 'examples/counter/build/machine.wasm');
  await mkdir(dirname(module), { recursive: true });
  await cp(exampleModule('counter'), module);
  await writeFile(join(folder, 'new.wasm'), await otherModule('counter'));
  await writeFile(join(folder, 'add.json'), '{"by": 3}');
  await mkdir(join(folder, 'bin'));
  const command = join(folder, 'bin', 'deltabase');
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
  await chmod(command, 0o755);
  env = { ...cluster.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
});
after(() => cluster.stop());

/** Examples that go on until somebody stops them: what makes them say something. */
function isEndless(example: string): boolean {
  const watches =
    (example.includes(' watch ') && !example.includes('--count')) || example.includes(' --watch ');
  return watches || (example.includes(' log tail') && !example.includes('--limit'));
}

/** Runs an example to its end; sends messages meanwhile if it waits for something to happen. */
async function run(
  example: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const running = new Running('/bin/sh', ['-c', `exec ${example}`], { env, cwd: folder });
  const isWaiting = example.includes(' log tail');
  if (!isWaiting && !isEndless(example)) return running.end();
  const hasEnded = (): boolean => running.process.exitCode !== null;
  while (!hasEnded() && (running.stdout === '' || !isEndless(example))) {
    await cluster.cli.text('send', 'counter', 'visits', 'add');
  }
  if (!hasEnded()) running.kill('SIGINT');
  return running.ended();
}

/** A stopped node's data, under the name that the examples use. */
async function stopNode(): Promise<void> {
  const [logs] = await cluster.cli.json('log', 'list');
  await committedEverywhere(cluster.cli, '1', logs.groups[1].lastIndex);
  const node = cluster.cluster.node(3);
  await node.stop('SIGTERM');
  await symlink(node.dataDir, join(folder, 'deltabase-data'));
}

test('the members of what --json gives are those that docs/cli.md names, in that order', async () => {
  const { cli } = cluster;
  const documented = await documentedMembers();
  const check = async (name: string, input: string, ...args: string[]): Promise<void> => {
    const { stdout } = await cli.runWith(
      input,
      ...name.split(' GROUP')[0]!.split(' '),
      ...args,
      '--json',
    );
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => Object.keys(JSON.parse(line)));
    assert.deepEqual(found, documented.get(name), name);
    documented.delete(name);
  };
  await check('deploy', '', 'docs', exampleModule('counter'));
  await check('send', '', 'docs', 'a', 'add');
  await check('send --ndjson', 'null\n{"by":0.5}', 'docs', 'a', 'add');
  await check('get', '', 'docs', 'a');
  const watching = cli.start('watch', 'docs', 'a', '--count', '2', '--json');
  await watching.until(() => watching.lines.length === 1);
  await cli.text('send', 'docs', 'a', 'add');
  const watched = (await watching.end()).stdout.trim().split('\n');
  assert.deepEqual(
    watched.map((line) => Object.keys(JSON.parse(line))),
    // Steps in one come to who lags: commands/documents.test.ts.
    documented.get('watch')!.slice(0, 2),
  );
  documented.delete('watch');
  await check('history', '', 'docs', 'a', '--limit', '1');
  await check('status', '');
  await check('hot', '');
  await check('cluster members', '');
  await check('cluster transfer', '', '1', 'auto');
  await check('machines list', '');
  await check('machines get', '', 'docs');
  await check('log list', '');
  await check('log list GROUP', '', '1', '--limit', '1');
  await check('log show', '', '1', '2');
  await check('log group', '', 'docs', 'a');
  const tailing = cli.start('log', 'tail', '--json');
  while (tailing.lines.length === 0) await cli.text('send', 'docs', 'a', 'add');
  tailing.kill('SIGINT');
  await tailing.ended();
  assert.deepEqual([Object.keys(JSON.parse(tailing.lines[0]!))], documented.get('log tail'));
  documented.delete('log tail');
  // They need nodes that come: commands/cluster.test.ts.
  for (const name of ['add', 'promote', 'remove', 'replace']) documented.delete(`cluster ${name}`);
  // It needs nodes that are lost: commands/recover.test.ts.
  documented.delete('recover');
  assert.deepEqual([...documented.keys()], [], 'every row was looked at');
});

test('every example of every command does what it says', async () => {
  const helps = await Promise.all(COMMANDS.map(helpOf));
  // Changes of the members need nodes that come: commands/cluster.test.ts; recoveries ones that went.
  const others = / start| replica| recover| cluster (add|promote|remove|replace) /;
  const examples = helps.flatMap(examplesOf).filter((example) => !others.test(example));
  const [stored, running] = [
    examples.filter((example) => example.includes('--data')),
    examples.filter((example) => !example.includes('--data')),
  ];
  assert.ok(stored.length >= 4 && running.length >= 20, `${stored.length} ${running.length}`);
  const check = async (example: string): Promise<void> => {
    const { code, stdout, stderr } = await run(example);
    assert.equal(code, isEndless(example) ? 130 : 0, `${example}: ${stderr}`);
    assert.notEqual(stdout, '', example);
    const isNoted = stderr === '' || /^deltabase: (version 1 is in|there are more)/.test(stderr);
    assert.ok(isNoted, `${example}: ${stderr}`);
    if (!example.includes('--json')) return;
    for (const line of stdout.trim().split('\n')) JSON.parse(line);
  };
  for (const example of running) await check(example);
  await stopNode();
  for (const example of stored) await check(example);
});
