import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  awaitEarlierRun,
  makeDataFolder,
  removeRunRecord,
  writeRunRecord,
} from '../../src/tour/data-folder.js';

async function withFolder(use: (data: string) => Promise<void>): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'deltabase-'));
  try {
    await use(data);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

/** A process that holds a port, as a node does. */
async function withHolder(
  use: (holder: ChildProcess, port: number) => Promise<void>,
): Promise<void> {
  const code = `const s = require('net').createServer();
    s.listen(0, '127.0.0.1', () => console.log(s.address().port));`;
  const holder = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(holder, 'exit');
  try {
    const [line] = await once(holder.stdout!, 'data');
    await use(holder, Number(line));
  } finally {
    holder.kill('SIGKILL');
    await exited;
  }
}

/** The number of a process that is gone. */
async function goneProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

function mustNotWait(): void {
  assert.fail('there is nothing to wait for');
}

test('without an earlier start, or after one that ended well, nothing waits', () =>
  withFolder(async (data) => {
    await awaitEarlierRun(data, mustNotWait);
    await writeRunRecord(data, { pid: process.pid, port: 1, nodes: [process.pid] });
    await removeRunRecord(data);
    await awaitEarlierRun(data, mustNotWait);
  }));

test('a record that was cut off while it was written is none', () =>
  withFolder(async (data) => {
    for (const text of ['', '{"pid":1', '[]', 'null', '{"pid":"x","port":1,"nodes":[1]}']) {
      await writeFile(join(data, 'run.json'), text);
      await awaitEarlierRun(data, mustNotWait);
    }
  }));

test('an earlier start that runs is named', () =>
  withFolder((data) =>
    withHolder(async (node, port) => {
      await writeRunRecord(data, { pid: process.pid, port, nodes: [node.pid!] });
      await assert.rejects(awaitEarlierRun(data, mustNotWait), {
        code: 'UNAVAILABLE',
        message: new RegExp(`runs already with this data \\(process ${process.pid}, .*:${port}\\)`),
      });
    }),
  ));

test('nodes that outlived their start are waited for', () =>
  withFolder((data) =>
    withHolder(async (node, port) => {
      await writeRunRecord(data, { pid: await goneProcess(), port, nodes: [node.pid!] });
      let waits = 0;
      await awaitEarlierRun(data, () => {
        waits++;
        node.kill('SIGTERM');
      });
      assert.equal(waits, 1);
      assert.equal(node.signalCode, 'SIGTERM');
    }),
  ));

test('a folder that cannot be made is refused', () =>
  withFolder(async (data) => {
    const file = join(data, 'file');
    await writeFile(file, '');
    await assert.rejects(makeDataFolder(join(file, 'below')), {
      code: 'INVALID_ARGUMENT',
      message: /cannot be made \(.*choose another one with --data$/,
    });
  }));
