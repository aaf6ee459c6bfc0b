// npm test [-- PATTERN ...]: installs and builds what is missing, then runs every test file (or those whose
// path holds one of the patterns) under node's own runner: the cheap ones first, real clusters last.

import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, ensureInstalled, fail, root, runNode } from './lib.mjs';

const FOLDERS = ['packages', 'examples', 'bench', 'test'];
/** A file that takes longer hangs: it fails, and those behind it still run. */
const FILE_MS = 600_000;
const SKIPPED = new Set(['node_modules', 'src', '.data']);

ensureInstalled();
build();
const patterns = process.argv.slice(2);
const files = FOLDERS.flatMap((folder) => testFiles(join(root, folder)))
  .map((file) => relative(root, file))
  .filter(hasSource)
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)));
if (files.length === 0) fail(`no test file matches ${patterns.join(' ')}`);
runNode([
  '--enable-source-maps',
  '--test',
  '--test-concurrency=1',
  '--test-reporter=spec',
  `--test-timeout=${FILE_MS}`,
  ...files,
]);

/** Compiled test files below a folder, in a fixed order. */
function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : testFiles(path);
      return path.includes('/dist/') && entry.name.endsWith('.test.js') ? [path] : [];
    });
}

/** What was compiled of a test that is gone, or has another name by now, is not run. */
function hasSource(file) {
  return existsSync(join(root, file.replace('/dist/', '/').replace(/\.js$/, '.ts')));
}
