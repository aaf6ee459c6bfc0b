import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { filesBelow, ROOT, readJson, readText, workspacePackages } from '../src/workspace.js';

const MARKDOWN = [
  ...filesBelow('docs', ['.md']),
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
];

test('every link between documents leads somewhere', () => {
  for (const file of MARKDOWN) {
    for (const [, target] of readText(file).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(ROOT, dirname(file), target!)), `${file} links to ${target}`);
    }
  }
});

test('every file of the workspace that a document names is there', () => {
  const named =
    /`((?:packages|docs|test|bench|scripts|proto|examples)\/[\w./-]+\.(?:ts|mjs|md|proto|json))`/g;
  for (const file of MARKDOWN) {
    for (const [, path] of readText(file).matchAll(named)) {
      assert.ok(existsSync(join(ROOT, path!)), `${file} names ${path}`);
    }
  }
});

test('README, ARCHITECTURE and decisions keep to their length', () => {
  const lines = (file: string): number => readText(file).split('\n').length;
  assert.ok(lines('README.md') <= 150);
  assert.ok(lines('ARCHITECTURE.md') <= 300);
  for (const file of filesBelow('docs/decisions', ['.md'])) assert.ok(lines(file) <= 41, file);
});

test('docs/dependencies.md names every package we depend on, and no other', () => {
  const table = readText('docs/dependencies.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const named = table.flatMap((row) =>
    [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map((m) => m[1]!),
  );
  const ours = new Set(workspacePackages().map(({ name }) => name));
  const used = new Set(
    workspacePackages().flatMap(({ dependencies }) =>
      dependencies.filter((name) => !ours.has(name)),
    ),
  );
  assert.deepEqual([...named].sort(), [...used].sort());
});

test('every dependency has an exact version', () => {
  const folders = ['.', ...workspacePackages().map(({ folder }) => folder)];
  for (const folder of folders) {
    const json = readJson(`${folder}/package.json`) as Record<string, Record<string, string>>;
    for (const list of ['dependencies', 'devDependencies']) {
      for (const [name, version] of Object.entries(json[list] ?? {})) {
        assert.match(version, /^\d+\.\d+\.\d+$/, `${folder}: ${name}`);
      }
    }
  }
});
