// Compiles machine.c; needs clang with the WebAssembly target and wasm-ld (Debian: clang-14, lld-14).
//   node build.mjs [OUTPUT]     CLANG names another compiler
// The result is committed as machine.wasm: who has no clang needs none, and a test compares the two.
// Compiled and linked in two steps: given -O, clang links through any wasm-opt that it finds in PATH, and npm
// puts one there, so that the bytes would depend on who runs this.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const clang = process.env.CLANG ?? 'clang-14';
const TARGET = ['--target=wasm32', '-nostdlib'];
const COMPILE = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-ffreestanding'];
const LINK = ['-Wl,--no-entry', '-Wl,--strip-all', '-Wl,-z,stack-size=16384'];

const folder = mkdtempSync(join(tmpdir(), 'tally-c-'));
const object = join(folder, 'machine.o');
const output = process.argv[2] ?? here('machine.wasm');
const code =
  run([...TARGET, ...COMPILE, '-mbulk-memory', '-c', '-o', object, here('machine.c')]) ||
  run([...TARGET, ...LINK, '-o', output, object]);
rmSync(folder, { recursive: true });
process.exit(code);

/** Runs clang; its exit code, 127 if there is none. */
function run(args) {
  const { error, status } = spawnSync(clang, args, { stdio: 'inherit' });
  if (error === undefined) return status ?? 1;
  process.stderr.write(`${clang} cannot be run: ${error.message}\n`);
  return 127;
}
