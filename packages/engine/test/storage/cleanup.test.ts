import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogCompactor, removeRows } from '../../src/storage/cleanup.js';
import { entryKey, rowsRange, sessionKey } from '../../src/storage/keys.js';
import { bytes } from '../support/bytes.js';
import { promptDisk, put, resultOf } from '../support/disk.js';

test('rows of a generation that is not used any more go, all of them and no other', () => {
  const rows = Array.from({ length: 1201 }, (_, at) => put(sessionKey(1, 2, `s${at}`), bytes('x')));
  const others = [
    put(sessionKey(1, 3, 'kept'), bytes('x')),
    put(sessionKey(2, 2, 'kept'), bytes('x')),
  ];
  const disk = promptDisk([...rows, ...others]);
  let batches = 0;
  resultOf(
    removeRows(disk, rowsRange(1, 2, 3), (operations, done) => {
      batches++;
      assert.ok(operations.length <= 500, 'a batch is not larger than it needs to be');
      disk.write(operations, done);
    }),
  );
  assert.equal(batches, 3);
  assert.deepEqual(
    disk.durable.rows().map(({ key }) => key),
    others.map(({ key }) => key),
  );
});

test('the log is compacted once enough of it was deleted, in one pass at a time', () => {
  const disk = promptDisk();
  const asked: number[][] = [];
  const done: Array<() => void> = [];
  disk.compact = (start, end, finished) => {
    asked.push([start[0]!, end[0]!]);
    done.push(finished);
  };
  const compactor = new LogCompactor(disk, (step) => step());
  compactor.deleted(512 * 2 ** 20 - 1);
  assert.equal(asked.length, 0);
  compactor.deleted(1);
  compactor.deleted(600 * 2 ** 20);
  const key = entryKey(3, 7);
  assert.equal(asked.length, 1);
  assert.ok(
    key[0]! >= asked[0]![0]! && key[0]! < asked[0]![1]!,
    'it covers the logs of all groups',
  );
  done.shift()!();
  assert.equal(asked.length, 2);
  done.shift()!();
  assert.equal(asked.length, 2);
});
