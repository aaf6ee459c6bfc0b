// deltabase start: a node in the foreground, and how it ends.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cli, type Loose, type Running } from '../support/cli.js';
import { exampleModule } from '../support/cluster.js';

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-cli-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts a node alone on free ports; resolves with its client address once it listens. */
async function startNode(folder: string): Promise<{ node: Running; address: string; pid: number }> {
  const env = { DELTABASE_GROUPS: '1', DELTABASE_DATA_DIR: join(folder, 'data') };
  const flags = ['--listen', '127.0.0.1:0', '--peer-listen=127.0.0.1:0', '--tick-ms', '10'];
  const node = new Cli({ env, cwd: folder }).start('start', ...flags);
  const started = (): Loose | undefined =>
    node.lines
      .map((line) => JSON.parse(line))
      .find(({ msg, event }) => (msg ?? event) === 'started');
  await node.until(() => started() !== undefined);
  const { clientPort, pid } = started()!;
  return { node, address: `127.0.0.1:${clientPort}`, pid };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a node runs in the foreground, serves, and ends in order when it is told to', async () => {
  await withFolder(async (folder) => {
    for (const [signal, count] of [
      ['SIGTERM', 1],
      ['SIGINT', 2],
    ] as const) {
      const { node, address, pid } = await startNode(folder);
      const cli = new Cli({ env: { DELTABASE_ADDRESS: address } });
      await cli.text('deploy', 'counter', exampleModule('counter'));
      assert.equal(await cli.text('send', 'counter', 'visits', 'add'), `seq ${count}  ${count}\n`);
      node.kill(signal);
      const { code, stderr } = await node.ended();
      assert.deepEqual([code, stderr], [0, '']);
      assert.equal(isAlive(pid), false);
    }
  });
});

test('a node does not outlive the command that was killed', async () => {
  await withFolder(async (folder) => {
    const { node, pid } = await startNode(folder);
    node.kill('SIGKILL');
    await node.ended();
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

test('an option that cannot be ends the command with one line that names it', async () => {
  await withFolder(async (folder) => {
    const cli = new Cli({ cwd: folder });
    const unknown = await cli.run('start', '--frob');
    assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
    assert.equal(unknown.stderr, 'deltabase: there is no option --frob: --help lists them\n');
    const wrong = await cli.run('start', '--listen', 'nowhere');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^deltabase: --listen is "nowhere": .*\n$/);
    const extra = await cli.run('start', 'now');
    assert.match(extra.stderr, /^deltabase: there is no option now/);
  });
});

test('a data directory that another node uses is refused, and that node lives on', async () => {
  await withFolder(async (folder) => {
    const { node, address } = await startNode(folder);
    const data = ['--data-dir', join(folder, 'data'), '--groups', '1'];
    const ports = ['--listen', '127.0.0.1:0', '--peer-listen', '127.0.0.1:0'];
    const second = await new Cli({ cwd: folder }).run('start', ...data, ...ports);
    assert.equal(second.code, 5);
    assert.match(second.stderr, /^deltabase: .*in use by another process: stop it first\n$/);
    const cli = new Cli({ env: { DELTABASE_ADDRESS: address } });
    assert.match(await cli.text('status'), /1 of 1 nodes answer/);
    node.kill('SIGTERM');
    await node.ended();
  });
});
