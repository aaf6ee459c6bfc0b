import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PACKAGE = new URL('../../', import.meta.url);
const README = readFileSync(new URL('README.md', PACKAGE), 'utf8');

/** Every program in the README, and what it says that it prints. */
const EXAMPLES = [...README.matchAll(/```js\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/g)];

test('the examples in the README do what the README says', () => {
  assert.equal(EXAMPLES.length, 3);
  for (const [, code = '', output] of EXAMPLES) {
    assert.ok(code.split('\n').length <= 60, 'it is short');
    const ran = spawnSync(process.execPath, ['--input-type=module'], {
      input: code,
      cwd: fileURLToPath(PACKAGE),
      encoding: 'utf8',
    });
    assert.equal(ran.stderr, '');
    assert.equal(ran.stdout, output);
  }
});

test('the package depends on nothing, and everything that it exports is in its index', () => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8'));
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
    assert.equal(manifest[kind], undefined, kind);
  }
  assert.deepEqual(Object.keys(manifest.exports), ['.']);
});
