// Machines and documents through the real command, on a real cluster of three nodes.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BIN, type Cli, type Loose, type Ran, Running } from '../support/cli.js';
import { exampleModule, otherModule, startCluster, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster;
let cli: Cli;

before(async () => {
  cluster = await startCluster();
  ({ cli } = cluster);
});
after(() => cluster.stop());

/** Deploys the counter once, and gives a document of it that has had no message. */
let documents = 0;
async function freshCounter(): Promise<string> {
  await cli.text('deploy', 'counter', exampleModule('counter'));
  return `fresh-${++documents}`;
}

function assertFailed(ran: Ran, code: number, stderr: RegExp): void {
  assert.equal(ran.code, code, ran.stderr);
  assert.match(ran.stderr, stderr);
  assert.equal(ran.stdout, '');
}

test('before anything is deployed, the list of machines is empty and says what to do', async () => {
  const { code, stdout, stderr } = await cli.run('machines', 'list');
  assert.deepEqual([code, stdout], [0, '']);
  assert.equal(stderr, 'deltabase: nothing is deployed: deltabase deploy SPACE MODULE.wasm\n');
  assert.deepEqual(await cli.json('machines', 'list'), [{ machines: [] }]);
});

test('a machine is deployed, listed and given back, version by version', async () => {
  const module = exampleModule('counter');
  assert.match(
    await cli.text('deploy', 'jobs', module),
    /^deployed jobs version 1 \(\d+\.\d KiB, channels add\)\n$/,
  );
  assert.equal(await cli.text('deploy', 'jobs', module), 'jobs version 1 was deployed already\n');
  const other = await otherModule('counter');
  const second = await cli.runWith(other, 'deploy', 'jobs', '-', '--expect', '1', '--json');
  const { hash, deployedAt, ...rest } = JSON.parse(second.stdout);
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.ok(Math.abs(deployedAt - Date.now()) < 600_000);
  const moduleBytes = other.length;
  const expected = { space: 'jobs', version: 2, moduleBytes, channels: ['add'] };
  assert.deepEqual(rest, { ...expected, principal: 'anonymous', unchanged: false });

  const [head, first, latest] = (await cli.text('machines', 'get', 'jobs')).split('\n');
  assert.match(head!, /^SPACE +VERSION +SIZE +DEPLOYED +BY +SHA-256 +CHANNELS$/);
  assert.match(first!, /^jobs +1 +\d+\.\d KiB {2}20\d\d-.*Z {2}anonymous {2}[0-9a-f]{12} {2}add$/);
  assert.match(latest!, /^jobs +2 /);
  const [got] = await cli.json('machines', 'get', 'jobs');
  assert.deepEqual(
    got.versions.map((version: Loose) => version.version),
    [1, 2],
  );
  assert.equal(got.machine.hash, hash);
  const [listed] = await cli.json('machines', 'list');
  assert.deepEqual(
    listed.machines.map((each: Loose) => [each.space, each.version]),
    [['jobs', 2]],
  );
  assert.match(await cli.text('machines', 'list'), /\njobs +2 /);

  const file = join(cluster.folder, 'jobs-1.wasm');
  const written = await cli.run('machines', 'get', 'jobs', '--version', '1', '-o', file);
  assert.equal(written.stderr, `deltabase: version 1 is in ${file}\n`);
  assert.deepEqual(await readFile(file), await readFile(module));
});

test('a machine that cannot be, or is not there, ends with a code and a way on', async () => {
  await cli.text('deploy', 'taken', exampleModule('counter'));
  const module = exampleModule('text');
  const conflict = await cli.run('deploy', 'taken', module, '--expect', '0');
  assertFailed(conflict, 4, /version 1 is deployed, not 0.*\(VERSION_CONFLICT\)\n$/);
  const junk = await cli.runWith('junk', 'deploy', 'bad', '-');
  assertFailed(junk, 2, /not a WebAssembly.*\(MODULE_INVALID\)\n$/);
  const large = join(cluster.folder, 'large.wasm');
  await writeFile(large, new Uint8Array(12 * 1024 * 1024));
  const tooLarge = /the module has 12582912 bytes.*more than \d+ \(MODULE_INVALID\)\n$/;
  assertFailed(await cli.run('deploy', 'bad', large), 2, tooLarge);
  assertFailed(await cli.run('deploy', 'bad', '/none.wasm'), 2, /cannot read \/none\.wasm: ENOENT/);
  assertFailed(await cli.run('deploy', 'B AD', module), 2, /space "B AD": use/);
  assertFailed(await cli.run('machines', 'get', 'none'), 3, /\(SPACE_NOT_FOUND\)/);
  assertFailed(await cli.run('machines', 'get', 'taken', '--version', '9'), 3, /no version 9/);
  const unwritable = await cli.run('machines', 'get', 'taken', '-o', '/none/x');
  assertFailed(unwritable, 2, /cannot write \/none\/x: ENOENT/);
});

test('a message is answered with the seq of the document and the reply', async () => {
  const key = await freshCounter();
  const send = ['send', 'counter', key, 'add'];
  assert.equal(await cli.text(...send), 'seq 1  1\n');
  assert.equal(await cli.text(...send, '{"by": 2}'), 'seq 2  3\n');
  assert.equal((await cli.runWith('{"by": 3}', ...send, '-')).stdout, 'seq 3  6\n');
  const file = join(cluster.folder, 'add.json');
  await writeFile(file, '{"by": 4}');
  assert.deepEqual(await cli.json(...send, `@${file}`), [{ seq: 4, reply: 10 }]);
});

test('a message that fails ends with the code of its error', async () => {
  const key = await freshCounter();
  const send = (...args: string[]): Promise<Ran> => cli.run('send', ...args);
  const half = ['counter', key, 'add', '{"by": 0.5}'];
  assertFailed(await send(...half), 4, /^deltabase: `by` must be a whole number \(REJECTED\)\n$/);
  const asJson = await send(...half, '--json');
  assert.deepEqual([asJson.code, asJson.stdout], [4, '']);
  assert.deepEqual(JSON.parse(asJson.stderr), {
    error: { code: 'REJECTED', message: '`by` must be a whole number', details: {} },
  });
  assertFailed(await send('counter', key, 'fly'), 3, /no channel "fly"; it has add/);
  assertFailed(await send('none', key, 'add'), 3, /no machine is deployed as none/);
  assertFailed(await send('counter', key, 'add', '{"by"'), 2, /the payload is not JSON/);
  assertFailed(await send('counter', key), 2, /name space, key and channel/);
  assertFailed(await send('counter', 'a\nb', 'add'), 2, /key "a\\nb" holds a control character/);
  assertFailed(await send('counter', key, 'add', '1', '2'), 2, /too many arguments/);
  const large = await cli.runWith(`"${'x'.repeat(300_000)}"`, 'send', 'counter', key, 'add', '-');
  assertFailed(large, 2, /300002 bytes, 262144 are allowed/);
});

test('each line of input is a message, answered in order; the first failure gives the code', async () => {
  const key = await freshCounter();
  const numbers = Array.from({ length: 2500 }, (_, at) => `${at + 1}\n`).join('');
  const many = await cli.runWith(numbers, 'send', 'counter', key, 'add', '--ndjson');
  assert.deepEqual([many.code, many.stderr], [0, '']);
  const answers = many.stdout.split('\n');
  assert.deepEqual(
    [answers.length, answers[0], answers[2499]],
    [2501, 'seq 1  1', 'seq 2500  2500'],
  );

  const lines = [
    { key, channel: 'add' },
    { key, channel: 'fly' },
    { key, channel: 'add', payload: { by: 0.5 } },
    { key, channel: 'add', payload: { by: 5 } },
  ];
  const input = lines.map((line) => `${JSON.stringify(line)}\r\n`).join('\n');
  const mixed = await cli.runWith(input, 'send', 'counter', '--ndjson');
  assert.equal(mixed.code, 3);
  assert.equal(mixed.stdout, 'seq 2501  2501\nseq 2502  2506\n');
  assert.equal(
    mixed.stderr,
    'deltabase: line 3: the machine has no channel "fly"; it has add (CHANNEL_NOT_FOUND)\n' +
      'deltabase: line 5: `by` must be a whole number (REJECTED)\n' +
      'deltabase: 2 of the messages failed\n',
  );
  const asJson = await cli.runWith(input, 'send', 'counter', '--ndjson', '--json');
  assert.deepEqual([asJson.code, asJson.stderr], [3, '']);
  const objects = asJson.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    objects.map(({ line, seq, reply, error }) => [line, seq ?? error.code, reply]),
    [
      [1, 2503, 2507],
      [3, 'CHANNEL_NOT_FOUND', undefined],
      [5, 'REJECTED', undefined],
      [7, 2504, 2512],
    ],
  );
});

test('a line that is no message ends the input, once what stood before it is answered', async () => {
  const key = await freshCounter();
  const add = ['send', 'counter', key, 'add', '--ndjson'];
  const broken = await cli.runWith('1\n2\nx\n4\n', ...add);
  assert.equal(broken.code, 2);
  assert.equal(broken.stdout, 'seq 1  1\nseq 2  2\n');
  assert.match(broken.stderr, /^deltabase: line 3 is not JSON/);
  assert.equal(await cli.text('get', 'counter', key, '/n'), '2\n');
  const second = await cli.runWith('{"by":0.5}\nx\n4\n', ...add);
  assertFailed(
    second,
    4,
    /^deltabase: line 1: .*\(REJECTED\)\ndeltabase: line 2 is not JSON.*\ndeltabase: 1 of the messages failed\n$/,
  );
  const asJson = await cli.runWith('{"by":0.5}\nx\n', ...add, '--json');
  assert.equal(asJson.code, 4);
  assert.equal(JSON.parse(asJson.stdout).error.code, 'REJECTED');
  assert.equal(JSON.parse(asJson.stderr).error.code, 'INVALID_ARGUMENT');
  const noObject = await cli.runWith('[1]\n', 'send', 'counter', '--ndjson');
  assertFailed(noObject, 2, /^deltabase: line 1: it must be an object/);
  const noKey = await cli.runWith('{"channel":"add"}\n', 'send', 'counter', '--ndjson');
  assertFailed(noKey, 2, /^deltabase: line 1: "key" must be a string/);
  assertFailed(await cli.run(...add, '5'), 2, /messages come from - or @file/);
});

test('a line is answered while more of them are waited for', async () => {
  const key = await freshCounter();
  const sending = cli.start('send', 'counter', key, 'add', '--ndjson');
  for (const number of [1, 2, 3]) {
    sending.process.stdin!.write('{"by":1}\n');
    await sending.until(() => sending.lines.length === number);
  }
  const { code, stdout } = await sending.end();
  assert.deepEqual([code, stdout], [0, 'seq 1  1\nseq 2  2\nseq 3  3\n']);
});

test('a document is read whole, in part, as it was, and as fresh as is asked', async () => {
  const key = await freshCounter();
  await cli.runWith('1\n2\n3\n', 'send', 'counter', key, 'add', '--ndjson');
  const get = ['get', 'counter', key];
  assert.equal(await cli.text(...get), '{\n  "n": 3\n}\n');
  assert.equal(await cli.text(...get, '/n'), '3\n');
  assert.equal(await cli.text(...get, '/n', '--at', '1'), '1\n');
  const [{ stalenessMs, ...whole }] = await cli.json(...get);
  assert.ok(stalenessMs >= 0);
  assert.deepEqual(Object.keys(whole), ['seq', 'hash', 'value']);
  assert.match(whole.hash, /^[0-9a-f]{16}$/);
  assert.deepEqual([whole.seq, whole.value], [3, { n: 3 }]);
  for (const mode of ['linearizable', '3']) {
    const [{ stalenessMs: _measured, ...read }] = await cli.json(...get, '--mode', mode);
    assert.deepEqual(read, whole);
  }
  const [stale] = await cli.json(...get, '--mode', 'stale');
  assert.ok(stale.seq <= 3);
  const [fresh] = await cli.json(...get, '--mode', 'stale:0');
  assert.equal(fresh.seq, 3);
  assert.ok(fresh.stalenessMs >= 0);
});

test('what is not there is told apart from what cannot be asked', async () => {
  const key = await freshCounter();
  await cli.text('send', 'counter', key, 'add');
  const get = (...args: string[]): Promise<Ran> => cli.run('get', 'counter', ...args);
  assertFailed(await get('none'), 3, /counter\/none has had no message.*\(DOCUMENT_NOT_FOUND\)/);
  assertFailed(await get(key, '/x'), 3, /nothing at "\/x" \(POINTER_NOT_FOUND\)/);
  assertFailed(await get(key, 'n'), 2, /"n" is not a JSON pointer/);
  assertFailed(await get(key, '--at', '9'), 2, /there is no seq 9: the document is at 1/);
  assertFailed(await get(key, '--at', 'x'), 2, /'--at <seq>' argument 'x' is invalid/);
  assertFailed(await get(key, '--mode', 'new'), 2, /Use linearizable, stale, stale:MS, or a seq/);
  assertFailed(await get(key, '--timeout', '0'), 2, /above 0, and at most 600/);
  const late = await get(key, '--mode', '9', '--timeout', '0.3');
  assertFailed(late, 5, /no answer within 300 ms.*\(DEADLINE_EXCEEDED\)/);
});

test('a watch gives the state, then every delta, until it is stopped', async () => {
  const key = await freshCounter();
  await cli.text('send', 'counter', key, 'add');
  const watching = cli.start('watch', 'counter', key, '--json');
  await watching.until(() => watching.lines.length === 1);
  await cli.text('send', 'counter', key, 'add', '{"by": 4}');
  await watching.until(() => watching.lines.length === 2);
  watching.kill('SIGINT');
  const { code, stdout, stderr } = await watching.ended();
  assert.deepEqual([code, stderr], [130, '']);
  const [state, delta] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(Object.keys(state), ['kind', 'seq', 'hash', 'value']);
  assert.deepEqual([state.kind, state.seq, state.value], ['state', 1, { n: 1 }]);
  assert.deepEqual(Object.keys(delta), ['kind', 'seq', 'time', 'hash', 'cause', 'patch']);
  assert.deepEqual([delta.kind, delta.seq, delta.cause.channel], ['delta', 2, 'add']);
  assert.deepEqual(delta.patch, [{ op: 'replace', path: '/n', value: 5 }]);

  const replayed = await cli.json('watch', 'counter', key, '--after', '1', '--count', '1');
  assert.deepEqual(replayed, [delta]);
  const text = await cli.text('watch', 'counter', key, '--count', '1');
  assert.match(text, /^seq 2 {2}hash [0-9a-f]{16}\n\{\n {2}"n": 5\n\}\n$/);
  const human = await cli.text('watch', 'counter', key, '--after', '1', '--count', '1');
  assert.match(human, /^seq 2 {2}.*Z {2}add \{"by":4\}\n {4}by anonymous .*\n {4}replace \/n 5\n$/);
  const ahead = await cli.run('watch', 'counter', key, '--after', '50');
  assertFailed(ahead, 2, /there is no seq 50 to watch from/);
});

test('a watch of the latest state, or of so many events a second, gets deltas in one', async () => {
  const key = await freshCounter();
  await cli.runWith('{"by":1}\n{"by":2}\n{"by":3}\n', 'send', 'counter', key, 'add', '--ndjson');
  const skipping = ['watch', 'counter', key, '--after', '0', '--count', '1'];
  const [composed] = await cli.json(...skipping, '--latest');
  assert.deepEqual(Object.keys(composed), ['kind', 'fromSeq', 'seq', 'hash', 'patch']);
  const { kind, fromSeq, seq, patch } = composed;
  assert.deepEqual([kind, fromSeq, seq], ['composed', 0, 3]);
  assert.deepEqual(patch, [{ op: 'replace', path: '', value: { n: 6 } }]);
  assert.deepEqual(await cli.json(...skipping, '--per-second', '0.5'), [composed]);
  const text = await cli.text(...skipping, '--latest');
  const expected =
    /^seq 3 {2}from seq 0, 3 deltas in one\n {4}hash [0-9a-f]{16}\n {4}replace \(whole document\) \{"n":6\}\n$/;
  assert.match(text, expected);
  const both = await cli.run(...skipping, '--latest', '--per-second', '1');
  assertFailed(both, 2, /cannot be used with/);
  assertFailed(await cli.run(...skipping, '--per-second', '1001'), 2, /at most 1000/);
});

test('a history tells of every delta and its cause', async () => {
  const key = await freshCounter();
  await cli.runWith('{"by":1}\n{"by":2}\n{"by":3}\n', 'send', 'counter', key, 'add', '--ndjson');
  const history = ['history', 'counter', key];
  const text = await cli.text(...history);
  assert.match(
    text,
    /^seq 1 {2}\S+ \S+Z {2}add \{"by":1\}\n {4}by anonymous {2}message \S+\/\d+ {2}version 1 {2}fuel \d+ {2}hash [0-9a-f]{16}\n {4}add \(whole document\) \{"n":0\}\n {4}replace \/n 1\nseq 2 /,
  );
  const deltas = await cli.json(...history);
  assert.deepEqual(Object.keys(deltas[0]), ['seq', 'time', 'hash', 'cause', 'patch', 'committed']);
  assert.deepEqual(Object.keys(deltas[0].cause), [
    'channel',
    'payload',
    'principal',
    'messageId',
    'version',
    'fuel',
    'seed',
  ]);
  assert.deepEqual(
    deltas.map(({ seq, cause, committed }) => [seq, cause.payload, committed]),
    [
      [1, { by: 1 }, true],
      [2, { by: 2 }, true],
      [3, { by: 3 }, true],
    ],
  );
  assert.deepEqual(await cli.json(...history, '--from', '2', '--limit', '1'), [deltas[1]]);
  const none = await cli.run(...history, '--from', '9');
  assert.deepEqual([none.code, none.stdout], [0, '']);
  assert.equal(none.stderr, `deltabase: counter/${key} has no delta from seq 9 on\n`);
  assert.deepEqual(await cli.json(...history, '--from', '9'), []);
  assertFailed(await cli.run('history', 'counter', 'none'), 3, /\(DOCUMENT_NOT_FOUND\)/);
  assertFailed(await cli.run(...history, '--from', '0'), 2, /whole number from 1 on/);
  assertFailed(await cli.run(...history, '--limit', '1.5'), 2, /whole number from 1 on/);
});

test('results go to standard output and only they, so that a pipe gets nothing else', async () => {
  const key = await freshCounter();
  const numbers = Array.from({ length: 3000 }, () => '1\n').join('');
  await cli.runWith(numbers, 'send', 'counter', key, 'add', '--ndjson');
  const { env } = cluster;
  const deltabase = `"${process.execPath}" "$0"`;
  const sh = (script: string) =>
    new Running('/bin/sh', ['-c', script.replaceAll('deltabase', deltabase), BIN], { env }).end();
  const head = await sh(`deltabase history counter ${key} --json | head -n 2 | wc -l; echo`);
  assert.deepEqual([head.stdout.trim(), head.stderr], ['2', '']);
  const code = await sh(`(deltabase history counter ${key}; echo "code $?" >&2) | head -n 1`);
  assert.match(code.stdout, /^seq 1 .*\n$/);
  assert.equal(code.stderr, 'code 0\n');
  const help = await sh('(deltabase --help; echo "code $?" >&2) | true');
  assert.equal(help.stderr, 'code 0\n');
  const full = await sh('deltabase status > /dev/full');
  assert.deepEqual([full.code, full.stdout], [1, '']);
  assert.match(full.stderr, /^deltabase: the results cannot be written: ENOSPC.*\n$/);
  const unread = await sh(
    `(yes 1 | deltabase send counter ${key} add --ndjson; echo "code $?" >&2) | head -n 1`,
  );
  assert.match(unread.stderr, /^deltabase: nobody reads the answers: .*\ncode 130\n$/);
});
