// Compiles the machines under examples/ to examples/NAME/build/machine.wasm: all, or those named.
//   node scripts/build-examples.mjs [NAME ...]
// AssemblyScript sources are compiled unless they, the SDK and the compiler are as they were the last time.
// A machine in C comes compiled (examples/NAME/machine.wasm, see its build.mjs) and is only copied.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { buildMachine } from '../packages/sdk/guest-assemblyscript/build.mjs';
import { fail, root } from './lib.mjs';

const EXAMPLES = join(root, 'examples');
const SDK = join(root, 'packages', 'sdk', 'guest-assemblyscript');

const all = readdirSync(EXAMPLES).filter((name) => sourceOf(name) !== undefined);
const named = process.argv.slice(2);
for (const name of named) {
  if (!all.includes(name)) fail(`there is no example ${name}; there are ${all.join(', ')}`);
}
for (const name of named.length > 0 ? named : all) await buildExample(name);

/** The machine's source, or the module that stands for it. */
function sourceOf(name) {
  return ['machine.ts', 'machine.wasm']
    .map((file) => join(EXAMPLES, name, file))
    .find((path) => existsSync(path));
}

async function buildExample(name) {
  const source = sourceOf(name);
  const output = join(EXAMPLES, name, 'build', 'machine.wasm');
  const stamp = join(EXAMPLES, name, 'build', 'inputs.sha256');
  const inputs = hashOf(source.endsWith('.wasm') ? [source] : assemblyScriptInputs(name));
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return;
  mkdirSync(dirname(output), { recursive: true });
  if (source.endsWith('.wasm')) copyFileSync(source, output);
  else await compile(source, output);
  writeFileSync(stamp, inputs);
  console.log(`built ${relative(root, output)}`);
}

async function compile(source, output) {
  try {
    await buildMachine({ source, output, baseDir: root });
  } catch (error) {
    fail(error.message);
  }
}

/** Everything that an AssemblyScript machine is made of. */
function assemblyScriptInputs(name) {
  return [
    ...filesBelow(join(EXAMPLES, name), (path) => !/\/(build|test)\//.test(path)),
    ...filesBelow(SDK, () => true),
    join(root, 'node_modules', 'assemblyscript', 'package.json'),
  ];
}

function filesBelow(folder, wanted) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => /\.(ts|mjs|json)$/.test(path) && wanted(path))
    .sort();
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    const content = readFileSync(path);
    hash.update(`${relative(root, path)}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}
