// Machines that only tests need: test/machines/NAME/machine.ts, compiled when they are asked for.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildMachine } from '@deltabase/guest-assemblyscript/build';
import { ROOT } from './workspace.js';

/** The module of the machine `name`. */
export async function testModule(name: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-machine-'));
  try {
    const output = join(folder, 'machine.wasm');
    const source = join(ROOT, 'test', 'machines', name, 'machine.ts');
    await buildMachine({ source, output, baseDir: ROOT });
    return await readFile(output);
  } finally {
    await rm(folder, { recursive: true });
  }
}
