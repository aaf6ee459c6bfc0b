import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { openDisk, put, withFolder, write } from './support/stores.js';

/** The method that hands a batch to LevelDB; hidden from users of the class. */
interface Batching {
  _batch(operations: unknown[], options: { readonly sync?: boolean }): Promise<void>;
}

test('every batch is synced, whatever is in it (docs/leveldb.md, facts 3 and 4; pitfall 1)', async (t) => {
  const batches = t.mock.method(ClassicLevel.prototype as unknown as Batching, '_batch');
  await withFolder(async (folder) => {
    const disk = await openDisk(folder);
    await write(disk, put(1), put(2));
    await write(disk);
    await write(disk, { kind: 'del', key: new Uint8Array([1]) });
    await disk.close();
  });
  const synced = batches.mock.calls.map(({ arguments: [, options] }) => options.sync);
  assert.deepEqual(synced, [true, true, true]);
});
