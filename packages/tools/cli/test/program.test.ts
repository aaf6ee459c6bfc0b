// The command line as a whole: usage errors, help, and the examples in it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@deltabase/server';
import { runCli } from '../src/program.js';
import { documentedMembers, notTaking } from './support/documented.js';
import { COMMANDS, examplesOf, helpOf, OPTIONS, wordsOf } from './support/help.js';
import { testIo } from './support/test-io.js';

test('wrong usage is told as any other error, in words or as JSON', async () => {
  const cases: [string[], string][] = [
    [['frob'], "unknown command 'frob': see deltabase --help"],
    [['stat'], "unknown command 'stat' (Did you mean start?): see deltabase --help"],
    [['get', 'counter'], "missing required argument 'key': see deltabase get --help"],
    [['log', 'list', '--bogus'], "unknown option '--bogus': see deltabase log list --help"],
    [
      ['log', 'list', 'x'],
      "value 'x' is invalid for argument 'group'. Use a whole number from 0 on: see deltabase log list --help",
    ],
    ...['-1', '0', '1.5'].map((seq): [string[], string] => [
      ['get', 'a', 'b', '--at', seq],
      `option '--at <seq>' argument '${seq}' is invalid. Use a whole number from 1 on: see deltabase get --help`,
    ]),
  ];
  for (const [args, message] of cases) {
    const io = testIo();
    assert.equal(await runCli(args, io), 2);
    assert.deepEqual(io.written, { out: '', err: `deltabase: ${message} (INVALID_ARGUMENT)\n` });
    const asJson = testIo();
    assert.equal(await runCli([...args, '--json'], asJson), 2);
    const { error } = JSON.parse(asJson.written.err);
    assert.equal(error.code, 'INVALID_ARGUMENT');
  }
});

test('without a command the help is told as an error, which it is to a script', async () => {
  for (const args of [[], ['log'], ['machines']]) {
    const io = testIo();
    assert.equal(await runCli(args, io), 2);
    assert.match(io.written.err, /^Usage: deltabase/);
    assert.equal(io.written.out, '');
  }
});

test('help that nobody reads ends quietly', async () => {
  const io = testIo({ isClosed: true });
  assert.equal(await runCli(['--help'], io), 0);
  assert.equal(io.written.err, '');
});

test('the version is that of the package', async () => {
  const io = testIo();
  assert.equal(await runCli(['--version'], io), 0);
  assert.match(io.written.out, /^\d+\.\d+\.\d+\n$/);
});

test('addresses that cannot be are refused before anything is tried', async () => {
  for (const address of ['nowhere', '', ',', '127.0.0.1:99999', '127.0.0.1:0']) {
    const io = testIo({ env: { DELTABASE_ADDRESS: address } });
    assert.equal(await runCli(['status'], io), 2, address);
    assert.match(io.written.err, /such as 127\.0\.0\.1:7410|address of at least one node/);
  }
});

test('the commands are those that the documents tell of', () => {
  const names = COMMANDS.map((command) => command.join(' '));
  for (const name of ['start', 'deploy', 'send', 'get', 'watch', 'status', 'history']) {
    assert.ok(names.includes(name), name);
  }
  for (const name of ['log list', 'log tail', 'log show']) assert.ok(names.includes(name), name);
});

test('docs/cli.md names the commands without --address, and the members of all that take --json', async () => {
  const taking = (option: string): string[] =>
    [...OPTIONS].filter(([, options]) => options.includes(option)).map(([name]) => name);
  const reaching = taking('--address');
  assert.deepEqual(
    await notTaking('--address'),
    [...OPTIONS.keys()].filter((name) => !reaching.includes(name)),
  );
  const documented = await documentedMembers();
  assert.deepEqual(
    taking('--json').filter((name) => !documented.has(name)),
    [],
  );
});

for (const command of COMMANDS) {
  const name = ['deltabase', ...command].join(' ');

  test(`${name}: its help says what it does, fits a terminal and holds examples of it`, async () => {
    const help = await helpOf(command);
    assert.match(help, new RegExp(`^Usage: ${name} `));
    assert.match(help, /\n\n[A-Z].*\.\n/);
    for (const line of help.split('\n')) assert.ok(line.length <= 80, line);
    const examples = examplesOf(help);
    assert.ok(examples.length > 0);
    if (command.length === 0) return;
    assert.ok(examples.every((example) => example.includes(name)));
  });
}

test('help is as wide as the terminal, up to a width that can be read', async () => {
  const widest = async (columns: number): Promise<number> => {
    const io = testIo({ columns });
    await runCli(['get', '--help'], io);
    const [, options] = io.written.out.split('Options:\n');
    return Math.max(
      ...options!
        .split('\n\n')[0]!
        .split('\n')
        .map((line) => line.length),
    );
  };
  const widths = [await widest(76), await widest(90), await widest(300)];
  assert.ok(widths[0]! <= 76 && widths[0]! < widths[1]! && widths[2]! <= 100, `${widths}`);
});

test('the examples of start are configurations that can be', async () => {
  for (const example of examplesOf(await helpOf(['start']))) {
    const [deltabase, start, ...flags] = wordsOf(example);
    assert.deepEqual([deltabase, start], ['deltabase', 'start']);
    const { node, listen, peerListen, members } = loadConfig(flags, {});
    const self = members.find((member) => member.node === node);
    assert.equal(self === undefined, members.length === 0, 'a node alone names no members');
    if (self === undefined) continue;
    assert.deepEqual([self.clientAddress, self.peerAddress], [listen, peerListen]);
  }
});
