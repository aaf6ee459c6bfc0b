import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ExampleDocument, pathOf, sendSamples } from '../../harness.js';

test('the sample messages leave the votes that they cast, moved and withdrew', () => {
  assert.deepEqual(sendSamples('tally-c').state, {
    votes: { ben: 'tea', chris: 'tea' },
    tally: { tea: 2 },
  });
});

test('a choice with the characters of JSON pointers is one choice', () => {
  const poll = new ExampleDocument('tally-c');
  assert.equal(poll.do('vote', { choice: 'a/b~c~1' }, 'x/y~'), 1);
  assert.equal(poll.do('vote', { choice: 'a/b~c~1' }, 'z'), 2);
  assert.deepEqual(poll.state, {
    votes: { 'x/y~': 'a/b~c~1', z: 'a/b~c~1' },
    tally: { 'a/b~c~1': 2 },
  });
});

test('the same vote again replies and changes nothing', () => {
  const poll = new ExampleDocument('tally-c');
  poll.do('vote', { choice: 'tea' });
  const again = poll.send('vote', { choice: 'tea' });
  assert.equal(again.reply, 1);
  assert.equal(again.patchBytes, '[]'.length);
});

test('votes without a choice, too long, or of nobody are rejected', () => {
  const poll = new ExampleDocument('tally-c');
  assert.match(poll.rejected('vote', {}), /choice/);
  assert.match(poll.rejected('vote', { choice: '' }), /choice/);
  assert.match(poll.rejected('vote', { choice: 7 }), /choice/);
  assert.match(poll.rejected('vote', { choice: 'x'.repeat(257) }), /256/);
  assert.match(poll.rejected('vote', { choice: 'tea' }, ''), /principal/);
  assert.match(poll.rejected('withdraw', {}), /no vote/);
  assert.equal(poll.do('vote', { choice: 'é'.repeat(128) }), 1);
});

const clang = process.env['CLANG'] ?? 'clang-14';
const hasClang = spawnSync(clang, ['--version']).status === 0;

test('machine.wasm is what clang makes of machine.c', { skip: !hasClang && `no ${clang}` }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tally-'));
  try {
    const output = join(folder, 'machine.wasm');
    const build = spawnSync(process.execPath, [fileURLToPath(pathOf('tally-c/build.mjs')), output]);
    assert.equal(build.status, 0, String(build.stderr));
    const committed = readFileSync(pathOf('tally-c/machine.wasm'));
    assert.ok(committed.equals(readFileSync(output)), 'run examples/tally-c/build.mjs');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
