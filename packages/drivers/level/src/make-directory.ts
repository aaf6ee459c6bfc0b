// Makes directories one by one, from above. The recursive mkdir of Node never ends where a file system says of what it
// will not make that its parent is missing, as /proc does.

import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Makes a directory, and those above it, unless they are there. Throws what the system says of one it does not make. */
export async function makeDirectory(path: string): Promise<void> {
  await make(resolve(path));
}

async function make(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  const above = dirname(path);
  if (above !== path) await make(above);
  try {
    await mkdir(path);
  } catch (thrown) {
    // Another process may have been faster.
    if (!(await isDirectory(path))) throw thrown;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}
