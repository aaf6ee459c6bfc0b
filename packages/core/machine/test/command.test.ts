import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  DeltasWriter,
  decodeCommand,
  encodeActivate,
  encodeOutcomes,
  encodeRecord,
  recordAt,
  recordLength,
} from '../src/index.js';
import { sampleRecord } from './sample.js';

/** An entry of records with these keys. */
function entryOf(...keys: string[]): { entry: Uint8Array; offsets: number[] } {
  const writer = new DeltasWriter(16);
  const offsets = keys.map((key) => writer.add(sampleRecord({ key })));
  assert.equal(writer.count, keys.length);
  const { bytes } = writer;
  const entry = writer.finish();
  assert.equal(entry.length, bytes);
  return { entry, offsets };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('an entry of deltas has the golden bytes of version 1', () => {
  const [first, second] = ['a', 'bc'].map((key) => hex(encodeRecord(sampleRecord({ key }))));
  const lengths = [first, second].map((record) => (record!.length / 2).toString(16));
  const golden = `0101${'02000000'}${lengths[0]}000000${first}${lengths[1]}000000${second}`;
  assert.equal(hex(entryOf('a', 'bc').entry), golden);
});

test('an activation has the golden bytes of version 1', () => {
  const golden = `0102${'02010000'}${Buffer.from('seats').toString('hex')}`;
  assert.equal(hex(encodeActivate('seats', 258)), golden);
  assert.deepEqual(decodeCommand(encodeActivate('seats', 258)), {
    kind: 'activate',
    space: 'seats',
    version: 258,
  });
});

test('an entry of outcomes has the golden bytes of version 1', () => {
  const records = [Uint8Array.of(0xaa, 0xbb), Uint8Array.of(0xcc)];
  const entry = encodeOutcomes(records);
  assert.equal(hex(entry), '01' + '03' + '02000000' + '02000000' + 'aabb' + '01000000' + 'cc');
  const command = decodeCommand(entry);
  assert.ok(command.kind === 'outcomes');
  const found = command.offsets.map((offset) => hex(recordAt(entry, offset)));
  assert.deepEqual(found, records.map(hex));
});

test('records come out as they went in, each where `add` said', () => {
  const keys = fc.array(fc.string({ maxLength: 3000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(keys, (all) => {
      const { entry, offsets } = entryOf(...all);
      assert.deepEqual(decodeCommand(entry), { kind: 'deltas', offsets });
      for (const [at, key] of all.entries()) {
        const record = encodeRecord(sampleRecord({ key }));
        assert.equal(recordLength(entry, offsets[at]!), record.length);
        assert.equal(hex(recordAt(entry, offsets[at]!)), hex(record));
      }
    }),
  );
});

test('records copied out of entries make the entry that they would have made together', () => {
  const [a, b] = [entryOf('1', '2', '3'), entryOf('4', '5')];
  const writer = new DeltasWriter(16);
  writer.copy(a.entry, a.offsets[1]!);
  writer.add(sampleRecord({ key: '4' }));
  writer.copy(a.entry, a.offsets[2]!);
  writer.copy(b.entry, b.offsets[1]!);
  assert.equal(writer.count, 4);
  const expected = entryOf('2', '4', '3', '5').entry;
  assert.equal(writer.bytes, expected.length);
  assert.equal(hex(writer.finish()), hex(expected));
  assert.throws(() => writer.finish(), /at least one record/);
});

test('a writer is empty after an entry, and an entry never shares its buffer', () => {
  const writer = new DeltasWriter();
  writer.add(sampleRecord({ key: 'first' }));
  const first = writer.finish();
  const before = hex(first);
  writer.add(sampleRecord({ key: 'other' }));
  assert.equal(hex(writer.finish()), hex(entryOf('other').entry));
  assert.equal(hex(first), before);
  assert.equal(writer.count, 0);
  assert.throws(() => writer.finish(), /at least one record/);
});

test('every prefix and every changed length of an entry is damage', () => {
  const { entry, offsets } = entryOf('a', 'b');
  const corrupt = { code: 'DATA_CORRUPT' };
  for (let end = 0; end < entry.length; end++) {
    assert.throws(() => decodeCommand(entry.subarray(0, end)), corrupt, `prefix of ${end}`);
  }
  for (const at of [0, 1, 2, ...offsets.map((offset) => offset - 4)]) {
    const changed = entry.slice();
    changed[at]! += 3;
    assert.throws(() => decodeCommand(changed), corrupt, `byte ${at}`);
  }
});
