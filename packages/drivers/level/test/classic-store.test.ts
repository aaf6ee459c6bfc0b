import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { openDisk, put, withFolder, write } from './support/stores.js';

/** The methods that hand a batch to LevelDB; hidden from users of the classes. */
interface Batch {
  _write(options: { readonly sync?: boolean }): Promise<void>;
}
interface Batching {
  _batch(operations: unknown[], options: object): Promise<void>;
  _chainedBatch(): Batch;
}

test('every batch is synced, whatever is in it (docs/leveldb.md, facts 3 and 4; pitfall 1)', async (t) => {
  const database = ClassicLevel.prototype as unknown as Batching;
  const begin = database._chainedBatch;
  const synced: Array<boolean | undefined> = [];
  t.mock.method(database, '_chainedBatch', function (this: Batching) {
    const batch = begin.call(this);
    const write = batch._write;
    batch._write = (options) => {
      synced.push(options.sync);
      return write.call(batch, options);
    };
    return batch;
  });
  const others = t.mock.method(database, '_batch');
  await withFolder(async (folder) => {
    const disk = await openDisk(folder);
    await write(disk, put(1), put(2));
    await write(disk);
    await write(disk, { kind: 'del', key: new Uint8Array([1]) });
    await disk.close();
  });
  assert.deepEqual(synced, [true, true, true]);
  assert.equal(others.mock.callCount(), 0, 'there is no other way');
});
