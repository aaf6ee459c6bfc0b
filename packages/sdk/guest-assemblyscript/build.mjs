// Compiles a machine written in AssemblyScript, with the options that machines need (asconfig.json).
//   node build.mjs SOURCE.ts OUTPUT.wasm

import { mkdir } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CONFIG = fileURLToPath(new URL('./asconfig.json', import.meta.url));

/**
 * Compiles `source` to `output`, both paths, relative ones to `baseDir`. Throws an Error with what the
 * compiler said where it fails.
 *
 * @param {{ source: string, output: string, baseDir?: string }} options
 * @returns {Promise<void>}
 */
export async function buildMachine({ source, output, baseDir = process.cwd() }) {
  // Loading the compiler takes longer than finding out that nothing is to be done.
  const { default: asc } = await import('assemblyscript/asc');
  const inside = (path) => relative(baseDir, isAbsolute(path) ? path : resolve(baseDir, path));
  await mkdir(dirname(resolve(baseDir, output)), { recursive: true });
  const { error, stderr } = await asc.main([
    inside(source),
    '--outFile',
    inside(output),
    '--baseDir',
    baseDir,
    '--config',
    inside(CONFIG),
  ]);
  if (error !== null) throw new Error(`${source} does not compile:\n${stderr.toString()}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [source, output] = process.argv.slice(2);
  if (source === undefined || output === undefined) {
    process.stderr.write('usage: build.mjs SOURCE.ts OUTPUT.wasm\n');
    process.exit(2);
  }
  await buildMachine({ source, output });
}
