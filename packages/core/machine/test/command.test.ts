import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeltasWriter, decodeCommand, encodeActivate, encodeOutcomes } from '../src/index.js';

test('an entry of deltas has the golden bytes of version 1', () => {
  const writer = new DeltasWriter();
  writer.add(Uint8Array.of(0xaa, 0xbb));
  writer.add(Uint8Array.of(0xcc));
  const hex = Buffer.from(writer.finish()).toString('hex');
  assert.equal(hex, '01' + '01' + '02000000' + '02000000' + 'aabb' + '01000000' + 'cc');
});

test('an activation has the golden bytes of version 1', () => {
  const hex = Buffer.from(encodeActivate('seats', 258)).toString('hex');
  assert.equal(hex, `0102${'02010000'}${Buffer.from('seats').toString('hex')}`);
  assert.deepEqual(decodeCommand(encodeActivate('seats', 258)), {
    kind: 'activate',
    space: 'seats',
    version: 258,
  });
});

test('an entry of outcomes has the golden bytes of version 1', () => {
  const records = [Uint8Array.of(0xaa, 0xbb), Uint8Array.of(0xcc)];
  const entry = encodeOutcomes(records);
  const hex = Buffer.from(entry).toString('hex');
  assert.equal(hex, '01' + '03' + '02000000' + '02000000' + 'aabb' + '01000000' + 'cc');
  assert.deepEqual(decodeCommand(entry), { kind: 'outcomes', records });
});

test('records come out as they went in, each where `add` said', () => {
  const records = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(records, (all) => {
      const writer = new DeltasWriter(16);
      const offsets = all.map((record) => writer.add(record));
      assert.equal(writer.count, all.length);
      const bytes = writer.bytes;
      const entry = writer.finish();
      assert.equal(entry.length, bytes);
      const command = decodeCommand(entry);
      assert.ok(command.kind === 'deltas');
      for (const [at, record] of all.entries()) {
        assert.deepEqual(Buffer.from(command.records[at]!), Buffer.from(record));
        const slice = entry.subarray(offsets[at]!, offsets[at]! + record.length);
        assert.deepEqual(Buffer.from(slice), Buffer.from(record));
      }
    }),
  );
});

test('a writer is empty after an entry, and an entry never shares its buffer', () => {
  const writer = new DeltasWriter();
  writer.add(Uint8Array.of(1));
  const first = writer.finish();
  writer.add(Uint8Array.of(2));
  const second = writer.finish();
  assert.equal(first.at(-1), 1);
  assert.equal(second.at(-1), 2);
  assert.equal(writer.count, 0);
  assert.throws(() => writer.finish(), /at least one record/);
});

test('every prefix and every changed length of an entry is damage', () => {
  const writer = new DeltasWriter();
  writer.add(Uint8Array.of(1, 2, 3));
  writer.add(Uint8Array.of(4));
  const entry = writer.finish();
  const corrupt = { code: 'DATA_CORRUPT' };
  for (let end = 0; end < entry.length; end++) {
    assert.throws(() => decodeCommand(entry.subarray(0, end)), corrupt, `prefix of ${end}`);
  }
  for (const at of [0, 1, 2, 6, 13]) {
    const changed = entry.slice();
    changed[at]! += 3;
    assert.throws(() => decodeCommand(changed), corrupt, `byte ${at}`);
  }
});
