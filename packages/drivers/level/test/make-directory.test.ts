import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDirectory } from '../src/make-directory.js';

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-make-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a directory is made with those above it, however many ask at once, and is taken if it is there', async () => {
  await withFolder(async (folder) => {
    const nested = join(folder, 'a/./b/../b/c');
    await Promise.all([
      makeDirectory(nested),
      makeDirectory(nested),
      makeDirectory(`${nested}/d/`),
    ]);
    await makeDirectory(nested);
    assert.ok((await stat(join(folder, 'a/b/c/d'))).isDirectory());
    await symlink(join(folder, 'a'), join(folder, 'link'));
    await makeDirectory(join(folder, 'link', 'e'));
    assert.ok((await stat(join(folder, 'a/e'))).isDirectory());
  });
});

test('what is in the way is told', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await assert.rejects(makeDirectory(file), { code: 'EEXIST' });
    await assert.rejects(makeDirectory(join(file, 'a', 'b')), { code: 'EEXIST' });
    await symlink(join(folder, 'nowhere'), join(folder, 'dangling'));
    await assert.rejects(makeDirectory(join(folder, 'dangling')), { code: 'EEXIST' });
  });
});

test('a file system that makes no directories ends the attempt', {
  skip: process.platform !== 'linux',
}, async () => {
  for (const path of ['/proc/deltabase', '/proc/deltabase/a/b']) {
    await assert.rejects(makeDirectory(path), { code: 'ENOENT' });
  }
});
