// What the scripts share: running commands from the workspace's root, and making sure that a fresh clone
// has its packages installed and its code built before anything else happens. Node's own modules only.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const STAMP = join(root, 'node_modules', '.deltabase-install');

/** Runs a command with this process's output; ends this process with its code if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) fail(`cannot run ${command}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Runs a script of ours with this Node. */
export function runNode(args, options) {
  run(process.execPath, args, options);
}

/** Runs a command of an installed package. */
export function runBin(name, args, options) {
  run(join(root, 'node_modules', '.bin', name), args, options);
}

/** Ends the process with a message. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Installs the locked packages unless they are there as the lockfile says. */
export function ensureInstalled() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Deltabase needs Node.js 20.19 or later; this is ${process.version}.`);
  }
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  console.log('Installing packages (npm ci) ...');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, wanted);
}

/** Compiles what has changed: TypeScript, then the example machines. */
export function build() {
  const isFirst = !existsSync(join(root, 'packages', 'server', 'dist'));
  if (isFirst) console.log('Compiling ...');
  runBin('tsc', ['-b']);
  runNode([join(root, 'scripts', 'build-examples.mjs')]);
}
