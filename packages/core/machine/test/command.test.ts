import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type DeltaRecord,
  DeltasWriter,
  decodeCommand,
  decodeRecord,
  encodeActivate,
  encodeOutcomes,
  encodeRecord,
  outcomeAt,
  recordAt,
} from '../src/index.js';
import { neighbours, normal, records } from './records.js';
import { sampleRecord } from './sample.js';

function entryOf(all: readonly DeltaRecord[]): { entry: Uint8Array; offsets: number[] } {
  const writer = new DeltasWriter(16);
  const offsets = all.map((record) => writer.add(record));
  assert.equal(writer.count, all.length);
  const { bytes } = writer;
  const entry = writer.finish();
  assert.equal(entry.length, bytes);
  return { entry, offsets };
}

function withKeys(...keys: string[]): DeltaRecord[] {
  return keys.map((key) => sampleRecord({ key }));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const several = fc.oneof(fc.array(records, { minLength: 1, maxLength: 12 }), neighbours);

test('an entry of deltas has the golden bytes of version 2', () => {
  const all = [...withKeys('a', 'bc'), sampleRecord({ key: 'bc', channel: 'set' })];
  const common = '07636f756e74657202633180d095ffbc3109616e6f6e796d6f7573';
  const body = '070c04f601' + '0137' + '087b226279223a317d' + 'ffffffff';
  const end = '03022f6e013700' + 'fa01' + '0123456789abcdef';
  const first = `23${'00'}${common}0361646403${'00'}0161${body}${end}`;
  // Space to version stand at 5, from where the first record's length, form and a zero end.
  const second = `23${'05'}${'00'}026263${body}${end}`;
  // The second record's length stands at 77, its key at 81.
  const third = `23${'00'}${common}0373657403${'51'}${body}${end}`;
  const lengths = [first, second, third].map((record) => (record.length / 2).toString(16));
  const golden = `0201${lengths[0]}${first}${lengths[1]}${second}${lengths[2]}${third}`;
  assert.equal(hex(entryOf(all).entry), golden);
});

test('an activation has the golden bytes of version 2', () => {
  const golden = `0202${'8202'}05${Buffer.from('seats').toString('hex')}`;
  assert.equal(hex(encodeActivate('seats', 258)), golden);
  assert.deepEqual(decodeCommand(encodeActivate('seats', 258)), {
    kind: 'activate',
    space: 'seats',
    version: 258,
  });
});

test('an entry of outcomes has the golden bytes of version 2', () => {
  const outcomes = [Uint8Array.of(0xaa, 0xbb), Uint8Array.of(0xcc)];
  const entry = encodeOutcomes(outcomes);
  assert.equal(hex(entry), '0203' + '02aabb' + '01cc');
  const command = decodeCommand(entry);
  assert.ok(command.kind === 'outcomes');
  const found = command.offsets.map((offset) => hex(outcomeAt(entry, offset)));
  assert.deepEqual(found, outcomes.map(hex));
});

test('records come out as they went in, each where `add` said', () => {
  fc.assert(
    fc.property(several, (all) => {
      const { entry, offsets } = entryOf(all);
      assert.deepEqual(decodeCommand(entry), { kind: 'deltas', offsets });
      for (const [at, record] of all.entries()) {
        const found = recordAt(entry, offsets[at]!);
        assert.equal(hex(found), hex(encodeRecord(record)));
        assert.deepEqual(normal(decodeRecord(found)), normal(record));
      }
    }),
  );
});

test('records copied out of entries make the entry that they would have made together', () => {
  fc.assert(
    fc.property(several, several, fc.infiniteStream(fc.nat(2)), (a, b, choices) => {
      const entries = [entryOf(a), entryOf(b)];
      const writer = new DeltasWriter(16);
      const taken: DeltaRecord[] = [];
      for (const [which, all] of [a, b, a].entries()) {
        const { entry, offsets } = entries[which % 2]!;
        for (const [at, record] of all.entries()) {
          const choice = choices.next().value;
          if (choice === 0) continue;
          if (choice === 1) writer.copy(entry, offsets[at]!);
          else writer.add(record);
          taken.push(record);
        }
      }
      if (taken.length === 0) return;
      assert.equal(writer.count, taken.length);
      const expected = entryOf(taken).entry;
      assert.equal(writer.bytes, expected.length);
      const copied = writer.finish();
      assert.equal(hex(copied), hex(expected));
      const command = decodeCommand(copied);
      assert.ok(command.kind === 'deltas');
      for (const [at, offset] of command.offsets.entries()) {
        assert.equal(hex(recordAt(copied, offset)), hex(encodeRecord(taken[at]!)));
      }
      assert.throws(() => writer.finish(), /at least one record/);
    }),
  );
});

test('an entry grows by what its records take by themselves, more or less', () => {
  const writer = new DeltasWriter();
  for (const all of [withKeys('a', 'b', 'c'), [sampleRecord({ payload: new Uint8Array(9000) })]]) {
    const before = writer.wholeBytes;
    for (const record of all) writer.add(record);
    const bytes = all.reduce((sum, record) => sum + encodeRecord(record).length, 0);
    const counted = writer.wholeBytes - before;
    assert.ok(counted > bytes * 0.8 && counted < bytes * 1.5, `${counted} for ${bytes}`);
  }
  writer.finish();
  assert.equal(writer.wholeBytes, 0);
});

test('what records have in common is written once, while there are few of it', () => {
  const channels = (count: number): DeltaRecord[] =>
    Array.from({ length: 40 }, (_, at) => sampleRecord({ channel: `channel-${at % count}` }));
  const sizes = [1, 8, 9].map((count) => entryOf(channels(count)).entry.length);
  const own = encodeRecord(sampleRecord({ channel: 'channel-0' })).length;
  assert.ok(sizes[0]! < 25 * own, `${sizes[0]} bytes of 40 records of ${own}`);
  const shared = 'counter'.length + 'anonymous'.length + 'channel-0'.length + 14;
  assert.ok(sizes[1]! - sizes[0]! < 8 * (shared + 3), 'each of eight is written once');
  assert.ok(sizes[2]! - sizes[0]! > 30 * shared, 'nine in turn are never found again');
});

test('a writer is empty after an entry, and an entry never shares its buffer', () => {
  const writer = new DeltasWriter();
  writer.add(sampleRecord({ key: 'first' }));
  const first = writer.finish();
  const before = hex(first);
  writer.add(sampleRecord({ key: 'other' }));
  assert.equal(hex(writer.finish()), hex(entryOf(withKeys('other')).entry));
  assert.equal(hex(first), before);
  assert.equal(writer.count, 0);
  assert.throws(() => writer.finish(), /at least one record/);
});

test('every entry of another version or kind, cut inside of a record, or empty, is damage', () => {
  const { entry, offsets } = entryOf(withKeys('a', 'b'));
  const corrupt = { code: 'DATA_CORRUPT' };
  for (let end = 0; end < entry.length; end++) {
    if (end === offsets[1]) continue; // There it has one record less.
    assert.throws(() => decodeCommand(entry.subarray(0, end)), corrupt, `prefix of ${end}`);
  }
  for (const [at, value] of [
    [0, 1],
    [0, 3],
    [1, 0],
    [1, 4],
    [2, 0xff],
  ] as const) {
    const changed = entry.slice();
    changed[at] = value;
    assert.throws(() => decodeCommand(changed), corrupt, `${value} at ${at}`);
  }
  const activation = encodeActivate('seats', 1);
  assert.throws(() => decodeCommand(Uint8Array.of(...activation, 0)), corrupt);
  assert.throws(() => decodeCommand(activation.subarray(0, activation.length - 1)), corrupt);
});
