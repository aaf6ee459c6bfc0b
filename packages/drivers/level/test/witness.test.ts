import assert from 'node:assert/strict';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { openWitness } from '../src/index.js';
import {
  fileOf,
  flipped,
  makeStore,
  openDisk,
  put,
  storeIn,
  withFolder,
  witnessIn,
  write,
} from './support/stores.js';

const CORRUPT = { code: 'DATA_CORRUPT' };

test('a witness remembers the last number, at its golden bytes', async () => {
  await withFolder(async (folder) => {
    const path = witnessIn(folder);
    const first = openWitness(path);
    assert.equal(first.counter, 0);
    first.write(7);
    first.write(2 ** 40 + 1);
    first.close();
    const bytes = await readFile(path);
    assert.equal(bytes.toString('hex'), '010000000010000000007042844f4330');
    const second = openWitness(path);
    assert.equal(second.counter, 2 ** 40 + 1);
    second.close();
  });
});

test('a witness that is damaged is refused', async () => {
  await withFolder(async (folder) => {
    const path = witnessIn(folder);
    const witness = openWitness(path);
    witness.write(12345);
    witness.close();
    const whole = await readFile(path);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      await writeFile(path, flipped(whole, bit));
      assert.throws(() => openWitness(path), CORRUPT, `bit ${bit}`);
    }
    await truncate(path, 0);
    assert.throws(() => openWitness(path), CORRUPT);
  });
});

test('a disk that has lost its newest batches does not open', async () => {
  await withFolder(async (folder) => {
    await makeStore(folder, 40);
    const log = await fileOf(folder, '.log');
    await truncate(log, (await readFile(log)).length - 1);
    await assert.rejects(openDisk(folder), { ...CORRUPT, details: { missing: 40, latest: 40 } });
    // Nor does it the second time, when LevelDB has made a clean sheet of what it found.
    await assert.rejects(openDisk(folder), CORRUPT);
  });
  await withFolder(async (folder) => {
    await makeStore(folder, 4);
    await rm(storeIn(folder), { recursive: true });
    await assert.rejects(openDisk(folder), { ...CORRUPT, details: { missing: 1, latest: 4 } });
  });
});

test('what a batch left that was never acknowledged does not keep a disk from opening', async () => {
  await withFolder(async (folder) => {
    await makeStore(folder, 40);
    const log = await fileOf(folder, '.log');
    const whole = await readFile(log);
    const before = whole.length;
    const disk = await openDisk(folder);
    await disk.close();
    // LevelDB has replaced the log: there is nothing in it until the next batch.
    const after = await fileOf(folder, '.log');
    await writeFile(after, whole.subarray(0, before >> 1).subarray(0, 20));
    const again = await openDisk(folder);
    await write(again, put(1));
    await again.close();
  });
});

test('a store that has more than its witness knows is whole, and so is one without a witness', async () => {
  await withFolder(async (folder) => {
    await makeStore(folder, 40);
    // The machine lost its power before the last number reached the disk.
    const witness = openWitness(witnessIn(folder));
    witness.write(30);
    witness.close();
    const disk = await openDisk(folder);
    await disk.close();
    assert.equal(counterIn(folder), 40);
    await rm(witnessIn(folder));
    const second = await openDisk(folder);
    await write(second, put(1));
    await second.close();
    assert.equal(counterIn(folder), 41);
  });
});

function counterIn(folder: string): number {
  const witness = openWitness(witnessIn(folder));
  const { counter } = witness;
  witness.close();
  return counter;
}
