import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskedCrc32c } from '../../src/files/crc32c.js';
import { FormatError } from '../../src/files/cursor.js';
import { logRecords } from '../../src/files/log-file.js';
import { flipped } from '../support/stores.js';

const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4] as const;
const BLOCK = 32 * 1024;

function fragment(kind: number, payload: string | Uint8Array): Buffer {
  const covered = Buffer.concat([Buffer.of(kind), Buffer.from(payload)]);
  const header = Buffer.alloc(6);
  header.writeUInt32LE(maskedCrc32c(covered), 0);
  header.writeUInt16LE(covered.length - 1, 4);
  return Buffer.concat([header, covered]);
}

const read = (...parts: Uint8Array[]): string[] =>
  logRecords(Buffer.concat(parts)).map((record) => Buffer.from(record).toString());

test('records come one behind the other, whole or in fragments', () => {
  assert.deepEqual(read(), []);
  assert.deepEqual(
    read(
      fragment(FULL, 'one'),
      fragment(FIRST, 'two '),
      fragment(MIDDLE, 'in three '),
      fragment(LAST, 'parts'),
      fragment(FULL, ''),
    ),
    ['one', 'two in three parts', ''],
  );
});

test('a block ends in zeros if there is no room for a header', () => {
  const first = fragment(FULL, 'x'.repeat(BLOCK - 7 - 6));
  assert.equal(first.length, BLOCK - 6);
  assert.deepEqual(read(first, Buffer.alloc(6), fragment(FULL, 'next'))[1], 'next');
});

test('a record that the file ends in was not finished', () => {
  const two = Buffer.concat([fragment(FULL, 'one'), fragment(FULL, 'two')]);
  for (let end = two.length - 1; end >= two.length - 10; end--) {
    assert.deepEqual(read(two.subarray(0, end)), ['one'], `${end}`);
  }
  assert.deepEqual(read(fragment(FULL, 'one'), fragment(FIRST, 'two')), ['one']);
});

test('a flipped bit is refused, or makes the last record look unfinished', () => {
  const file = Buffer.concat([fragment(FULL, 'one'), fragment(FIRST, 'two'), fragment(LAST, 's')]);
  for (let bit = 0; bit < file.length * 8; bit++) {
    let records: Uint8Array[];
    try {
      records = logRecords(flipped(file, bit));
    } catch (thrown) {
      assert.ok(thrown instanceof FormatError);
      continue;
    }
    // Its length grew beyond the end of the file.
    assert.ok(records.length < 2 && [4, 5, 14, 15, 24, 25].includes(bit >>> 3), `bit ${bit}`);
  }
});

test('fragments in the wrong order are refused', () => {
  const wrong = [[MIDDLE], [LAST], [FIRST, FULL], [FIRST, FIRST], [FULL, LAST], [0], [5]];
  for (const kinds of wrong) {
    const file = kinds.map((kind) => fragment(kind, 'x'));
    assert.throws(() => read(...file), FormatError, kinds.join(', '));
  }
});
