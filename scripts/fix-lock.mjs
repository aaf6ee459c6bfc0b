// node scripts/fix-lock.mjs [--check]: makes the lockfile whole. A registry may leave out packages that are
// optional and for other platforms; npm then leaves them out of the lockfile and `npm ci` refuses it. This
// adds an entry for each one that is missing. With --check it only says what is missing, and fails.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from './lib.mjs';

const FILE = join(root, 'package-lock.json');
const SYSTEMS =
  /(?:^|[-/])(darwin|linux|win32|android|freebsd|netbsd|openbsd|sunos|aix|openharmony)/;
const PROCESSORS = /(arm64|x64|ia32|riscv64|ppc64|s390x|loong64|mips64el|wasm32|arm)/;

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const missing = missingEntries(lock.packages);
if (process.argv.includes('--check')) {
  if (missing.length > 0) {
    fail(
      `package-lock.json lacks ${missing.length} optional platform packages ` +
        `(${missing[0].path}, ...): run node scripts/fix-lock.mjs`,
    );
  }
} else {
  for (const { path, entry } of missing) lock.packages[path] = entry;
  const paths = Object.keys(lock.packages).sort();
  lock.packages = Object.fromEntries(paths.map((path) => [path, lock.packages[path]]));
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${missing.length} entries added to package-lock.json`);
}

/** The optional dependencies of locked packages that have no entry, with the entry they need. */
function missingEntries(packages) {
  const found = new Map();
  for (const [parent, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(optionalDependencies)) {
      const path = `node_modules/${name}`;
      if (packages[path] || packages[`${parent}/${path}`]) continue;
      found.set(path, { path, entry: platformEntry(name, range) });
    }
  }
  return [...found.values()];
}

function platformEntry(name, range) {
  const system = SYSTEMS.exec(name)?.[1];
  const processor = PROCESSORS.exec(name)?.[1];
  if (!system && !processor) fail(`${name} is optional but names no platform: install it by hand`);
  return {
    version: range.replace(/^[~^]/, ''),
    ...(processor ? { cpu: [processor] } : {}),
    optional: true,
    ...(system ? { os: [system] } : {}),
  };
}
