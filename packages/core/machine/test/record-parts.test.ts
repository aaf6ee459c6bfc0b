import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePatch } from '@deltabase/delta';
import fc from 'fast-check';
import {
  type DeltaRecord,
  DeltasWriter,
  decodeCommand,
  decodeHead,
  decodeRecord,
  decodeStep,
  recordAt,
  recordLength,
} from '../src/index.js';
import { neighbours, patches, records } from './records.js';
import { sampleRecord } from './sample.js';

const HEAD = [
  'space',
  'key',
  'seq',
  'session',
  'openedAt',
  'number',
  'settled',
  'time',
  'snapshotAdvised',
] as const;

function entryOf(...all: readonly DeltaRecord[]): Uint8Array {
  const writer = new DeltasWriter(16);
  for (const record of all) writer.add(record);
  return writer.finish();
}

function offsetsOf(entry: Uint8Array): readonly number[] {
  const command = decodeCommand(entry);
  assert.ok(command.kind === 'deltas');
  return command.offsets;
}

/** The head of the first record. */
function headOf(entry: Uint8Array) {
  return decodeHead(entry, offsetsOf(entry)[0]!);
}

const several = fc.oneof(fc.array(records, { minLength: 1, maxLength: 6 }), neighbours);

test('a head is what the whole record says, wherever the record lies', () => {
  fc.assert(
    fc.property(several, (all) => {
      const entry = entryOf(...all);
      for (const [at, offset] of offsetsOf(entry).entries()) {
        const head = decodeHead(entry, offset);
        const whole = decodeRecord(recordAt(entry, offset));
        for (const field of HEAD) {
          assert.equal(head[field], whole[field], field);
          assert.equal(head[field], all[at]![field], field);
        }
        const { reply } = head;
        const replied =
          typeof reply === 'string' ? Buffer.from(reply) : reply && Buffer.from(reply);
        assert.deepEqual(replied, whole.reply && Buffer.from(whole.reply));
      }
    }),
  );
});

test('a step is what the whole record says, wherever the record lies', () => {
  fc.assert(
    fc.property(several, patches, (all, patch) => {
      const entry = entryOf(...all.map((each) => ({ ...each, patch })));
      for (const [at, offset] of offsetsOf(entry).entries()) {
        const { seq, hash, snapshotAdvised } = all[at]!;
        const step = decodeStep(entry, offset);
        assert.deepEqual(step, { seq, hash, snapshotAdvised, patch: parsePatch(patch) });
      }
    }),
  );
});

test('a step whose patch is none is refused', () => {
  for (const patch of ['\u00ff', '', '[', '[1]', '[{"op":"remove","path":"a"}]']) {
    const entry = entryOf(sampleRecord({ patch: Buffer.from(patch, 'latin1') }));
    assert.throws(() => decodeStep(entry, offsetsOf(entry)[0]!), { code: 'DATA_CORRUPT' }, patch);
  }
});

test('what two entries have at one place is not taken for the same', () => {
  const twice = (space: string, key: string) => {
    const entry = entryOf(sampleRecord({ space, key }), sampleRecord({ space, key }));
    return [entry, offsetsOf(entry)[1]!] as const;
  };
  const [a, b] = [twice('one', 'a'), twice('two', 'b')];
  for (const [place, space, key] of [
    [a, 'one', 'a'],
    [b, 'two', 'b'],
    [a, 'one', 'a'],
  ] as const) {
    const head = decodeHead(...place);
    assert.deepEqual([head.space, head.key], [space, key]);
  }
});

test('a reply outlives the entry it came in', () => {
  for (const length of [1, 40, 41, 5000]) {
    const entry = entryOf(sampleRecord({ reply: new Uint8Array(length).fill(7) }));
    const { reply } = headOf(entry);
    entry.fill(0);
    const expected = Buffer.alloc(length, 7);
    assert.deepEqual(reply, length <= 40 ? expected.toString() : Uint8Array.from(expected));
  }
});

test('a reply of an entry in a Node.js buffer outlives it, too', () => {
  const entry = Buffer.from(entryOf(sampleRecord({ reply: new Uint8Array(41).fill(7) })));
  const { reply } = headOf(entry);
  entry.fill(0);
  assert.deepEqual(reply, new Uint8Array(41).fill(7));
});

test('names are told apart, however often they are met', () => {
  const sessions = Array.from({ length: 3000 }, (_, at) => `session-${at % 1000}`);
  for (const session of [...sessions, 'sessiön', 'sessi', 'sessiön']) {
    assert.equal(headOf(entryOf(sampleRecord({ session }))).session, session);
  }
});

/** An entry whose second record has nothing of its own that the first has. */
const PAIR = entryOf(sampleRecord(), sampleRecord({ seq: 8 }));
const [FIRST, SECOND] = offsetsOf(PAIR) as [number, number];

for (const decode of [
  decodeHead,
  decodeStep,
  (entry: Uint8Array, offset: number) => decodeRecord(recordAt(entry, offset)),
]) {
  const name = decode.name || 'decodeRecord';

  test(`${name}: what is cut short, too long, or of another form is damage (DATA_CORRUPT)`, () => {
    const corrupt = { code: 'DATA_CORRUPT' };
    for (let end = 0; end < PAIR.length; end++) {
      assert.throws(() => decode(PAIR.subarray(0, end), SECOND), corrupt, `prefix of ${end}`);
    }
    const longer = Uint8Array.of(...PAIR, 0);
    longer[SECOND]!++;
    assert.throws(() => decode(longer, SECOND), corrupt);
    for (const [at, value] of [
      [SECOND + 1, 0x13], // of version 1
      [SECOND + 1, 0x27], // with a flag that there is not
      [SECOND + 2, 1], // with fields in common that would lie in the entry's header
      [SECOND + 2, SECOND + 1], // in the record itself
      [SECOND + 3, SECOND + 1], // with a key there
    ] as const) {
      const changed = PAIR.slice();
      changed[at] = value;
      assert.throws(() => decode(changed, SECOND), corrupt, `${value} at ${at}`);
    }
  });

  test(`${name}: random bytes are never taken for a record by accident or by crash`, () => {
    const place = fc.constantFrom(FIRST, SECOND);
    fc.assert(
      fc.property(place, fc.nat(PAIR.length - 1), fc.nat(255), (offset, at, value) => {
        const changed = PAIR.slice();
        changed[at] = value;
        try {
          const { seq, ...rest } = decode(changed, offset);
          assert.ok(Number.isSafeInteger(seq) && seq >= 1);
          for (const value of Object.values(rest)) {
            assert.ok(typeof value !== 'number' || (Number.isSafeInteger(value) && value >= 0));
          }
        } catch (thrown) {
          assert.equal((thrown as { code: string }).code, 'DATA_CORRUPT');
        }
      }),
    );
  });
}

test('a record has the length that stands in front of it', () => {
  const large = sampleRecord({ payload: new Uint8Array(5000) });
  const entry = entryOf(large, large);
  const [first, second] = offsetsOf(entry) as [number, number];
  assert.equal(first + 2 + recordLength(entry, first), second);
  assert.equal(second + 2 + recordLength(entry, second), entry.length);
});
