// What the README says to do outside the workspace, done there; only that nothing is downloaded.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { makeWasmHost } from '@deltabase/driver-wasm';

/** The workspace's root; compiled tests lie in dist/test. */
const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const PACKAGE = join(ROOT, 'packages/sdk/guest-assemblyscript');
const README = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
const FOLDER = mkdtempSync(join(tmpdir(), 'my-machine-'));
const { name, version, peerDependencies } = JSON.parse(
  readFileSync(join(PACKAGE, 'package.json'), 'utf8'),
);

after(() => rmSync(FOLDER, { recursive: true }));

/** The line of the README's commands that begins so, as words. */
function commandOf(start: string): string[] {
  const line = README.split('\n').find((it) => it.startsWith(start));
  assert.ok(line !== undefined, `the README has ${start}`);
  return line.split(' ');
}

test('the package is packed, installed and used outside the workspace as the README says', () => {
  const tarball = `${name.slice(1).replace('/', '-')}-${version}.tgz`;
  const compiler = `assemblyscript@${peerDependencies.assemblyscript}`;
  assert.deepEqual(commandOf('npm install').slice(-2), [compiler, `./${tarball}`]);

  const [npm, ...pack] = commandOf('npm pack');
  const here = pack.map((word) => (word === '../my-machine' ? FOLDER : word));
  execFileSync(npm!, here, { cwd: ROOT, stdio: 'ignore' });
  const installed = join(FOLDER, 'node_modules', name);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(FOLDER, tarball), '-C', installed, '--strip-components=1']);
  const own = join(FOLDER, 'node_modules', 'assemblyscript');
  symlinkSync(join(ROOT, 'node_modules', 'assemblyscript'), own);

  const [, source] = README.split('```ts\n');
  writeFileSync(join(FOLDER, 'machine.ts'), source!.split('```')[0]!);
  const [, , ...flags] = commandOf('npx asc');
  execFileSync(process.execPath, [join(own, 'bin', 'asc.js'), ...flags], { cwd: FOLDER });
  const script = `import { buildMachine } from '${name}/build';
    await buildMachine({ source: 'machine.ts', output: 'built.wasm' });`;
  writeFileSync(join(FOLDER, 'build.mjs'), script);
  execFileSync(process.execPath, ['build.mjs'], { cwd: FOLDER });
  const compiled = readFileSync(join(FOLDER, 'machine.wasm'));
  assert.deepEqual(readFileSync(join(FOLDER, 'built.wasm')), compiled);
  const host = makeWasmHost({ limits: DEFAULT_LIMITS, soon: (run) => run() });
  const kinds: string[] = [];
  host.load(compiled, ({ kind }) => void kinds.push(kind));
  assert.deepEqual(kinds, ['loaded']);
});
