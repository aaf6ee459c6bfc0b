import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommanderError } from 'commander';
import { parseOptions } from '../../src/tour/options.js';

const PLACE = { root: '/workspace', cwd: '/home/anna' };

function parse(...args: string[]) {
  let printed = '';
  const print = (text: string): void => {
    printed += text;
  };
  const io = { out: async (text: string) => print(text), err: print };
  try {
    return { options: parseOptions(args, io, PLACE), printed };
  } catch (thrown) {
    return { thrown, printed };
  }
}

test('without options it stays up, at the port that clients expect, with data in the workspace', () => {
  assert.deepEqual(parse().options, {
    once: false,
    port: 7410,
    data: '/workspace/.data/start',
    color: true,
  });
});

test('a data folder is seen from where the user is', () => {
  const { options } = parse('--once', '--port', '9000', '--data', 'here', '--no-color');
  assert.deepEqual(options, { once: true, port: 9000, data: '/home/anna/here', color: false });
});

test('what it does not understand is refused with what to do', () => {
  for (const text of ['0', '65531', '7410.5', 'x', '']) {
    const { thrown } = parse('--port', text);
    assert.match((thrown as Error).message, /use a number from 1 to 65530$/, text);
  }
  const { thrown, printed } = parse('--prot', '1');
  assert.ok(thrown instanceof CommanderError && thrown.exitCode !== 0);
  assert.match(printed, /unknown option '--prot'[\s\S]*npm start -- --help/);
});

test('--help lists every option with examples', () => {
  const { thrown, printed } = parse('--help');
  assert.ok(thrown instanceof CommanderError && thrown.exitCode === 0);
  for (const word of ['--once', '--port', '--data', '--no-color', 'npm start -- --once']) {
    assert.ok(printed.includes(word), word);
  }
});
