import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  filesBelow,
  importsOf,
  ROOT,
  readJson,
  readText,
  workspacePackages,
} from '../src/workspace.js';

interface Layer {
  readonly name: string;
  readonly folder: string;
  readonly mayImport: readonly string[];
}

const packages = workspacePackages();
const layers = readLayers();

/** The table of ARCHITECTURE.md. */
function readLayers(): Layer[] {
  const [, section] = readText('ARCHITECTURE.md').split('<!-- layers -->');
  const [table] = section!.split('<!-- end -->');
  const rows = table!.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => {
    const [, name, folder, mayImport] = row
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', ''));
    const names = mayImport === '' ? [] : mayImport!.split(', ').map(fullName);
    return { name: name!, folder: folder!, mayImport: names };
  });
}

function fullName(short: string): string {
  return short === 'raft-ts' ? short : `@deltabase/${short}`;
}

function ours(name: string): boolean {
  return packages.some((each) => each.name === name);
}

test('the table of ARCHITECTURE.md lists every package where it is', () => {
  assert.deepEqual(
    layers.map(({ name, folder }) => `${name} ${folder}`).sort(),
    packages.map(({ name, folder }) => `${name} ${folder}`).sort(),
  );
});

test('imports point up the table only', () => {
  for (const [at, { name, mayImport }] of layers.entries()) {
    const above = layers.slice(0, at).map((layer) => layer.name);
    const below = mayImport.filter((imported) => !above.includes(imported));
    assert.deepEqual(below, [], `${name} may not import these`);
  }
});

test('the engine and the core never import a driver', () => {
  for (const { folder, mayImport } of layers) {
    if (!folder.startsWith('packages/core') && folder !== 'packages/engine') continue;
    assert.ok(!mayImport.some((name) => name.includes('driver')), folder);
  }
});

for (const { name, folder, mayImport } of layers) {
  const { dependencies, devDependencies } = packages.find((each) => each.name === name)!;

  test(`${name}: package.json and tsconfig name what the table allows`, () => {
    const declared = dependencies.filter(ours);
    assert.deepEqual(
      declared.filter((each) => !mayImport.includes(each)),
      [],
    );
    const config = `${folder}/tsconfig.json`;
    if (!existsSync(join(ROOT, config))) return; // Not compiled by TypeScript.
    const { references = [] } = readJson(config) as { references?: { path: string }[] };
    const referenced = references.map(
      ({ path }) => (readJson(join(folder, path, 'package.json')) as { name: string }).name,
    );
    assert.deepEqual(referenced.sort(), declared.sort());
  });

  test(`${name}: its sources import only what package.json declares`, () => {
    if (!existsSync(join(ROOT, folder, 'src'))) return; // AssemblyScript, which imports nothing.
    for (const file of filesBelow(`${folder}/src`, ['.ts'])) {
      for (const imported of importsOf(file)) {
        if (imported.startsWith('.') || imported.startsWith('node:')) continue;
        const target = imported
          .split('/')
          .slice(0, imported.startsWith('@') ? 2 : 1)
          .join('/');
        assert.ok(dependencies.includes(target), `${file} imports ${imported}`);
        assert.equal(imported, target, `${file}: outsiders import a package's index`);
      }
    }
  });

  test(`${name}: its tests import only what package.json declares`, () => {
    if (!existsSync(join(ROOT, folder, 'test'))) return; // Tested with the examples.
    const declared = [name, ...dependencies, ...devDependencies, ...rootDevDependencies()];
    for (const file of filesBelow(`${folder}/test`, ['.ts'])) {
      for (const imported of importsOf(file)) {
        if (imported.startsWith('.') || imported.startsWith('node:')) continue;
        const target = imported
          .split('/')
          .slice(0, imported.startsWith('@') ? 2 : 1)
          .join('/');
        assert.ok(declared.includes(target), `${file} imports ${imported}`);
      }
    }
  });
}

test('the core and the engine name nothing of Node, no clock, no chance and no promise', () => {
  const banned =
    /'node:|\bDate\b|Math\.random|setTimeout|setInterval|setImmediate|\bPromise\b|\basync\b|\bawait\b|\bBuffer\b|\bprocess\./;
  for (const { folder } of layers) {
    if (!folder.startsWith('packages/core') && folder !== 'packages/engine') continue;
    for (const file of filesBelow(`${folder}/src`, ['.ts'])) {
      const code = readText(file).replaceAll(
        /\/\*[\s\S]*?\*\/|\/\/.*|`[^`]*`|'[^'\n]*'/g,
        (text) => (text.startsWith("'node:") ? text : ''),
      );
      const found = banned.exec(code);
      assert.equal(found, null, `${file}: ${found?.[0]}`);
    }
  }
});

function rootDevDependencies(): string[] {
  const { devDependencies } = readJson('package.json') as { devDependencies: object };
  return Object.keys(devDependencies);
}
