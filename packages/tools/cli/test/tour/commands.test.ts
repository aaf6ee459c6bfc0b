import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Commands, typed } from '../../src/tour/commands.js';
import { Screen } from '../../src/tour/screen.js';

/** Commands without a cluster, and what is shown. */
function commandsOnPaper(): { commands: Commands; shown: () => string } {
  let shown = '';
  const write = (text: string): void => {
    shown += text;
  };
  const env = { DELTABASE_ADDRESS: '127.0.0.1:1' };
  const screen = new Screen({ isTerminal: false, env, write }, { color: true });
  const commands = new Commands({ screen, env, isTerminal: false });
  return { commands, shown: () => shown };
}

test('commands are shown as a shell takes them', () => {
  assert.equal(
    typed(['send', 'counter', 'visits', 'add', '{"by":3}']),
    `npx deltabase send counter visits add '{"by":3}'`,
  );
  assert.equal(
    typed(['send', 'text', `it's`, '--limit=1']),
    `npx deltabase send text 'it'\\''s' --limit=1`,
  );
});

test('a command is shown with what it prints', async () => {
  const { commands, shown } = commandsOnPaper();
  await commands.run(['--version']);
  assert.match(shown(), /^ {2}\$ npx deltabase --version\n {2}\d+\.\d+\.\d+\n$/);
});

test('a command that ends otherwise than it must ends the tour, and says how', async () => {
  const { commands } = commandsOnPaper();
  await assert.rejects(commands.run(['get', 'counter', 'visits', '--wrong']), {
    code: 'INTERNAL',
    message: /^npx deltabase get counter visits --wrong ended with exit code 2 \([\s\S]*--wrong/,
  });
  await commands.run(['get', 'counter', 'visits', '--wrong'], { expected: 2 });
});

test('whoever waits for a command that goes on is told when it fails instead', async () => {
  const { commands } = commandsOnPaper();
  const watch = commands.follow(['watch', 'counter', 'visits', '--timeout', '0.2']);
  await watch.next(); // What it says of its failure.
  await assert.rejects(watch.next(), { message: /watch .* ended with exit code 5/ });
  await assert.rejects(watch.end(), { message: /watch .* ended with exit code 5/ });
});
