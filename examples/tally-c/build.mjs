// Compiles machine.c; needs clang with the WebAssembly target and wasm-ld (Debian: clang-14, lld-14).
//   node build.mjs [OUTPUT]     CLANG names another compiler
// The result is committed as machine.wasm: who has no clang needs none, and a test compares the two.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const clang = process.env.CLANG ?? 'clang-14';

const { error, status } = spawnSync(
  clang,
  [
    '--target=wasm32',
    '-std=c11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-ffreestanding',
    '-nostdlib',
    '-mbulk-memory',
    '-Wl,--no-entry',
    '-Wl,--strip-all',
    '-Wl,-z,stack-size=16384',
    '-o',
    process.argv[2] ?? here('machine.wasm'),
    here('machine.c'),
  ],
  { stdio: 'inherit' },
);
if (error !== undefined) {
  process.stderr.write(`${clang} cannot be run: ${error.message}\n`);
  process.exit(127);
}
process.exit(status ?? 1);
