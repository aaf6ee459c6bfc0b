import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkFiles } from '../../src/index.js';
import {
  fileOf,
  flipped,
  makeStore,
  openDisk,
  put,
  storeIn,
  withFolder,
  write,
} from '../support/stores.js';

const CORRUPT = { code: 'DATA_CORRUPT' };

test('a store that is whole passes, with tables of every kind of block', async () => {
  await withFolder(async (folder) => {
    assert.deepEqual(await checkFiles(storeIn(folder)), { tables: 0, bytes: 0 }, 'there is none');
    // Rows that can be compressed and rows that cannot, so many that the index can be as well; and compactions.
    for (let life = 0; life < 6; life++) {
      const disk = await openDisk(folder);
      for (let batch = 0; batch < 30; batch++) {
        const rows = Array.from({ length: 50 }, (_, n) => {
          const value = n % 2 === 0 ? 'x'.repeat(300) : `${Math.sin(n + batch)}`.repeat(9);
          return put(life * 400 + batch * 50 + n, value);
        });
        await write(disk, ...rows);
      }
      await disk.close();
    }
    const { tables, bytes } = await checkFiles(storeIn(folder));
    assert.ok(tables >= 1 && bytes > 50_000, `${tables} tables, ${bytes} bytes`);
  });
});

test('any flipped bit of a table is found', async () => {
  await withFolder(async (folder) => {
    await makeStore(folder, 40);
    const path = await fileOf(folder, '.ldb');
    const whole = await readFile(path);
    for (let bit = 0; bit < whole.length * 8; bit += 3) {
      await writeFile(path, flipped(whole, bit));
      await assert.rejects(
        checkFiles(storeIn(folder)),
        CORRUPT,
        `bit ${bit} of ${whole.length * 8}`,
      );
    }
    await writeFile(path, whole);
    assert.equal((await checkFiles(storeIn(folder))).tables, 1);
  });
});

test('a table that has lost its end, or got one, is found', async () => {
  await withFolder(async (folder) => {
    await makeStore(folder, 40);
    const path = await fileOf(folder, '.ldb');
    const { length } = await readFile(path);
    await appendFile(path, 'x');
    await assert.rejects(checkFiles(storeIn(folder)), CORRUPT);
    for (const size of [length - 1, length - 60, 20, 0]) {
      await truncate(path, size);
      await assert.rejects(checkFiles(storeIn(folder)), CORRUPT, `${size} bytes`);
    }
  });
});

test('a flipped bit of the manifest is found, or makes its last edit look unfinished', async () => {
  await withFolder(async (folder) => {
    await makeStore(folder, 40);
    const path = await fileOf(folder, /^MANIFEST/);
    const whole = await readFile(path);
    let missed = 0;
    for (let bit = 0; bit < whole.length * 8; bit++) {
      await writeFile(path, flipped(whole, bit));
      try {
        await checkFiles(storeIn(folder));
        missed++;
      } catch (thrown) {
        assert.equal((thrown as { code: string }).code, 'DATA_CORRUPT');
      }
    }
    // Bits of the lengths of records.
    assert.ok(missed <= 2 * 16, `${missed} missed`);
  });
});

test('a store without CURRENT is not taken for a new one', async () => {
  await withFolder(async (folder) => {
    await makeStore(folder, 4);
    await rm(join(storeIn(folder), 'CURRENT'));
    await assert.rejects(checkFiles(storeIn(folder)), { ...CORRUPT, message: /CURRENT.*replace/ });
    await writeFile(join(storeIn(folder), 'CURRENT'), 'MANIFEST-999999\n');
    await assert.rejects(checkFiles(storeIn(folder)), { ...CORRUPT, message: /999999/ });
  });
});

test('what a crash left of a store that was being made is a new one', async () => {
  await withFolder(async (folder) => {
    await mkdir(storeIn(folder));
    await writeFile(join(storeIn(folder), 'MANIFEST-000001'), 'unfinished');
    assert.deepEqual(await checkFiles(storeIn(folder)), { tables: 0, bytes: 0 });
  });
});
