import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PACKAGE = new URL('../../', import.meta.url);

test('the example in the README does what the README says', () => {
  const readme = readFileSync(new URL('README.md', PACKAGE), 'utf8');
  const [, code, output] = /```js\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/.exec(readme) ?? [];
  assert.ok(code !== undefined && output !== undefined);
  assert.ok(code.split('\n').length < 80, 'it is short');
  const ran = spawnSync(process.execPath, ['--input-type=module'], {
    input: code,
    cwd: fileURLToPath(PACKAGE),
    encoding: 'utf8',
  });
  assert.equal(ran.stderr, '');
  assert.equal(ran.stdout, output);
});
