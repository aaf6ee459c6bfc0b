import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashText } from '@deltabase/delta';
import { SnapshotWriter } from '../../src/documents/snapshot-writer.js';
import { loadDocument } from '../../src/documents/stored-document.js';
import type { DiskOperation } from '../../src/ports.js';
import { documentPrefix } from '../../src/storage/keys.js';
import { promptDisk, resultOf } from '../support/disk.js';
import { makeHistory } from '../support/history.js';

const STEPS = makeHistory(200);
const VERSION = { seq: 200, root: STEPS[199]!.root };

function setUp() {
  const disk = promptDisk();
  const batches: Array<{ bytes: number; write: () => void }> = [];
  const writer = new SnapshotWriter({
    pieceBytesMax: 100,
    batchBytesMax: 300,
    write: (operations: readonly DiskOperation[], done) => {
      const bytes = operations.reduce(
        (sum, one) => sum + (one.kind === 'put' ? one.value.length : 0),
        0,
      );
      batches.push({ bytes, write: () => disk.write(operations, done) });
    },
  });
  const load = (key: string) => resultOf(loadDocument(disk, documentPrefix(1, 1, 'log', key)));
  return { disk, writer, batches, load };
}

test('snapshots are written one after the other, a batch at a time, and can be loaded', () => {
  const { writer, batches, load } = setUp();
  const keys = ['a', 'b', 'c'];
  for (const key of keys) writer.add(documentPrefix(1, 1, 'log', key), VERSION);
  assert.equal(batches.length, 1);
  let count = 0;
  for (let next = batches.shift(); next !== undefined; next = batches.shift()) {
    count++;
    assert.ok(next.bytes < 600, 'a batch ends where it grows too large');
    assert.equal(batches.length, 0, 'one batch at a time');
    next.write();
  }
  assert.ok(count > 10);
  assert.equal(writer.pending, 0);
  for (const key of keys) {
    const loaded = load(key);
    assert.equal(loaded.seq, 200);
    assert.equal(hashText(loaded.root), STEPS[199]!.record.hash);
    assert.equal(loaded.bytesSinceSnapshot, 0);
  }
});

test('a snapshot that was not written to its end is no snapshot', () => {
  const { writer, batches, load } = setUp();
  writer.add(documentPrefix(1, 1, 'log', 'a'), VERSION);
  batches.shift()!.write();
  writer.close();
  for (const batch of batches) batch.write();
  assert.equal(load('a').seq, 0);
  assert.equal(writer.pending, 0);
});

test('a closed writer writes nothing more', () => {
  const { writer, batches } = setUp();
  writer.add(documentPrefix(1, 1, 'log', 'a'), VERSION);
  writer.add(documentPrefix(1, 1, 'log', 'b'), VERSION);
  writer.close();
  batches.shift()!.write();
  assert.equal(batches.length, 0);
});
