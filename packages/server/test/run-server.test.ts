// The process around a node: what it prints, and what it ends with. test/suite/shutdown.test.ts has clusters.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { NODE_OPTIONS } from '../src/config/node-options.js';
import { flagOf, namesOf } from '../src/config/option-table.js';
import { VERSION } from '../src/index.js';

const PROGRAM = fileURLToPath(new URL('../src/main.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs the program. */
class Run {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(flags: readonly string[], environment: Record<string, string> = {}, shell = '') {
    const env = { ...process.env, ...environment };
    const command = [process.execPath, PROGRAM, ...flags];
    const [file, ...words] = shell === '' ? command : ['sh', '-c', shell, 'sh', ...command];
    this.child = spawn(file!, words, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout!.on('data', (text) => {
      this.stdout += text;
    });
    this.child.stderr!.on('data', (text) => {
      this.stderr += text;
    });
  }

  /** Waits until it listens. */
  started(): Promise<void> {
    return this.said('"started"');
  }

  async said(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      const gone = once(this.child, 'close').then(() => assert.fail(this.stderr));
      await Promise.race([once(this.child.stdout!, 'data'), gone]);
    }
  }

  async ended(): Promise<Ended> {
    const [code] = (await once(this.child, 'close')) as [number | null];
    return { code, stdout: this.stdout, stderr: this.stderr };
  }
}

function run(flags: readonly string[], environment?: Record<string, string>): Promise<Ended> {
  return new Run(flags, environment).ended();
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-run-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function alone(dataDir: string, ...more: string[]): string[] {
  const listen = ['--listen', '127.0.0.1:0', '--peer-listen', '127.0.0.1:0'];
  return ['--data-dir', dataDir, '--groups', '2', ...listen, ...more];
}

test('--help tells every option, --version the release', async () => {
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  for (const name of namesOf(NODE_OPTIONS))
    assert.ok(help.stdout.includes(`${flagOf(name)} `), name);
  assert.ok(help.stdout.split('\n').every((line) => line.length <= 80));
  assert.deepEqual(await run(['--version']), { code: 0, stdout: `${VERSION}\n`, stderr: '' });
});

test('a configuration that cannot be ends the process with one line and exit code 2', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const cases: [string[], Record<string, string>, RegExp][] = [
      [['--node', 'x'], {}, /^deltabase: --node is "x": use a whole number from 1 to 65535\n$/],
      [[], { DELTABASE_GROUPS: '0' }, /^deltabase: DELTABASE_GROUPS is "0": use a whole number/],
      [
        alone(file),
        {},
        /^deltabase: the data directory .*a-file cannot be made \(.*choose another/,
      ],
      // Where the system makes no directories, Node's recursive mkdir does not end.
      [
        alone('/proc/deltabase'),
        {},
        /^deltabase: the data directory \/proc\/deltabase cannot be made \(.*choose another/,
      ],
      [
        alone(join(folder, 'a'), '--listen', `127.0.0.1:${port}`).filter(
          (_, at) => at < 4 || at > 5,
        ),
        {},
        /^deltabase: cannot listen for clients on 127\.0\.0\.1:\d+ \(.*choose another address\n$/,
      ],
      [
        alone(join(folder, 'b'), '--limits', 'peerFrameBytesMax=1000'),
        {},
        /^deltabase: peerFrameBytesMax is 1000, but .* raise it, or lower/,
      ],
    ];
    try {
      for (const [flags, environment, line] of cases) {
        const { code, stderr, stdout } = await run(flags, environment);
        assert.match(stderr, line);
        assert.deepEqual([code, stderr.split('\n').length], [2, 2], stdout);
      }
    } finally {
      taken.close();
    }
  });
});

test('data that another process uses, or that are of another node, are left alone', async () => {
  await withFolder(async (folder) => {
    const first = new Run(alone(folder));
    await first.started();
    const second = await run(alone(folder));
    assert.match(second.stderr, /^deltabase: .*another process/);
    assert.equal(second.code, 5);
    first.child.kill('SIGINT');
    const ended = await first.ended();
    assert.deepEqual([ended.code, ended.stderr], [0, '']);

    for (const [flag, value] of [
      ['--node', '2'],
      ['--cluster', 'other'],
      ['--groups', '3'],
    ]) {
      const flags = alone(folder).filter((each, at, all) => each !== flag && all[at - 1] !== flag);
      const other = await run([...flags, flag!, value!]);
      assert.match(other.stderr, /^deltabase: .*\n$/);
      assert.equal(other.code, 4, other.stderr);
    }
    const again = new Run(alone(folder));
    await again.started();
    again.child.kill('SIGTERM');
    assert.equal((await again.ended()).code, 0);
  });
});

test('a process that stops logs why, what it does and that it is done, a JSON object a line', async () => {
  await withFolder(async (folder) => {
    const node = new Run(alone(folder));
    await node.started();
    node.child.kill('SIGTERM');
    const { code, stdout } = await node.ended();
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const told = lines
      .map(({ msg }) => msg)
      .filter((msg) => ['signal', 'draining', 'stopped'].includes(msg));
    assert.deepEqual([code, ...told], [0, 'signal', 'draining', 'stopped']);
    assert.ok(
      lines.every(({ cluster, node: id, level, time }) => cluster && id === 1 && level && time),
    );
  });
});

test('a node whose files were damaged or cut while it was stopped does not start (pitfalls 7 and 17)', {
  timeout: 60_000,
}, async () => {
  await withFolder(async (folder) => {
    // A second start moves what the first one logged into a table.
    for (let starts = 0; starts < 2; starts++) {
      const node = new Run(alone(folder));
      await node.said('"role":"leader"');
      await node.started();
      node.child.kill('SIGTERM');
      assert.equal((await node.ended()).code, 0);
    }
    const store = join(folder, 'store');
    const names = await readdir(store);
    const refusal = async (
      ending: string,
      harm: (bytes: Buffer) => Uint8Array,
    ): Promise<string> => {
      const file = join(store, names.find((name) => name.endsWith(ending))!);
      const whole = await readFile(file);
      await writeFile(file, harm(Buffer.from(whole)));
      const { code, stderr } = await run(alone(folder));
      assert.equal(code, 1, stderr);
      await writeFile(file, whole);
      return stderr;
    };
    // Not in a row, whose own checksum would tell, but in what LevelDB finds rows by.
    const inFilter = await refusal('.ldb', (bytes) =>
      bytes.fill(0, bytes.length - 130, bytes.length - 120),
    );
    assert.match(inFilter, /^deltabase: .*\.ldb is damaged: .* fails its checksum/);
    const cut = await refusal('.log', () => new Uint8Array(0));
    assert.match(cut, /^deltabase: batch \d+ of \d+ is missing/);
  });
});

test('a node ends at the first write that fails, and says why (pitfall 2)', {
  timeout: 20_000,
}, async (t) => {
  await withFolder(async (folder) => {
    // Files of at most 1 KiB: enough to begin with, and no more.
    const node = new Run(alone(folder), {}, 'ulimit -f 2; exec "$@"');
    t.after(() => node.child.kill('SIGKILL'));
    const { code, stdout } = await node.ended();
    assert.equal(code, 1);
    assert.match(stdout, /"storage-failed"/);
  });
});

test('a process that meets a defect of its own logs it with where it was, and ends', {
  timeout: 20_000,
}, async (t) => {
  for (const defect of ['throw error;', 'void Promise.reject(error);']) {
    await withFolder(async (folder) => {
      const module = join(folder, 'defect.mjs');
      await writeFile(
        module,
        `process.on('SIGUSR2', () => { const error = new Error('planted'); ${defect} });`,
      );
      const preload = { NODE_OPTIONS: `--import=${pathToFileURL(module)}` };
      const node = new Run(alone(join(folder, 'data')), preload);
      t.after(() => node.child.kill('SIGKILL'));
      await node.started();
      node.child.kill('SIGUSR2');
      const { code, stdout } = await node.ended();
      assert.equal(code, 1);
      const line = stdout.split('\n').find((text) => text.includes('"defect"'));
      const { level, reason, stack } = JSON.parse(line!);
      assert.deepEqual([level, reason], ['error', 'planted']);
      assert.match(stack, /defect\.mjs/);
    });
  }
});
