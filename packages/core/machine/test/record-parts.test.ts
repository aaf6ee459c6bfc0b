import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from '@deltabase/base';
import fc from 'fast-check';
import {
  type DeltaRecord,
  decodeHead,
  decodeRecord,
  decodeStep,
  encodeRecord,
} from '../src/index.js';
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

function headOf(bytes: Uint8Array) {
  return decodeHead(bytes, 0, bytes.length);
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const count = fc.oneof(fc.nat(300), fc.nat(0x1ffff), fc.maxSafeNat());
const text = fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 90 }));
const records: fc.Arbitrary<DeltaRecord> = fc
  .record({
    space: text,
    key: text,
    seq: count.map((seq) => seq + 1),
    session: text,
    openedAt: count,
    number: count,
    settled: count,
    principal: text,
    channel: text,
    payload: bytes(70_000),
    time: count,
    seed: count,
    version: count,
    patch: bytes(300),
    reply: fc.option(bytes(300), { nil: undefined }),
    fuel: count,
    snapshotAdvised: fc.boolean(),
  })
  .map((changes) => sampleRecord({ ...changes, seq: Math.min(changes.seq, 2 ** 53 - 1) }));

test('a head is what the whole record says, wherever the record lies', () => {
  fc.assert(
    fc.property(records, fc.nat(9), (record, before) => {
      const encoded = encodeRecord(record);
      const around = new Uint8Array(before + encoded.length + 5).fill(0xc1);
      around.set(encoded, before);
      const head = decodeHead(around, before, before + encoded.length);
      const whole = decodeRecord(encoded);
      for (const field of HEAD) assert.equal(head[field], whole[field], field);
      const { reply } = head;
      const replied = typeof reply === 'string' ? Buffer.from(reply) : reply && Buffer.from(reply);
      assert.deepEqual(replied, whole.reply && Buffer.from(whole.reply));
    }),
  );
});

test('a step is what the whole record says, wherever the record lies', () => {
  fc.assert(
    fc.property(records, text, fc.nat(9), (record, patch, before) => {
      const encoded = encodeRecord({ ...record, patch: Buffer.from(patch) });
      const around = new Uint8Array(before + encoded.length + 5).fill(0xc1);
      around.set(encoded, before);
      const step = decodeStep(around, before, before + encoded.length);
      const { seq, hash, snapshotAdvised } = decodeRecord(encoded);
      // Lone surrogates are no UTF-8: what was written instead comes back.
      const written = Buffer.from(patch).toString();
      assert.deepEqual(step, { seq, hash, snapshotAdvised, patch: written });
    }),
  );
});

test('a step whose patch is not UTF-8 is refused', () => {
  const encoded = encodeRecord(sampleRecord({ patch: Uint8Array.of(0xff) }));
  assert.throws(() => decodeStep(encoded, 0, encoded.length), { code: 'DATA_CORRUPT' });
});

test('a record has the bytes that msgpackr makes of its fields', () => {
  fc.assert(
    fc.property(records, (r) => {
      const fields = [
        ...[1, r.space, r.key, r.seq, r.session, r.openedAt, r.number, r.settled],
        ...[r.principal, r.channel, r.payload, r.time, r.seed, r.version, r.patch],
        ...[r.reply ?? null, [], r.fuel, r.hash, r.snapshotAdvised ? 1 : 0],
      ];
      assert.equal(hex(encodeRecord(r)), hex(pack(fields)));
    }),
  );
});

test('a reply outlives the entry it came in', () => {
  for (const length of [1, 40, 41, 5000]) {
    const encoded = encodeRecord(sampleRecord({ reply: new Uint8Array(length).fill(7) }));
    const { reply } = headOf(encoded);
    encoded.fill(0);
    const expected = Buffer.alloc(length, 7);
    assert.deepEqual(reply, length <= 40 ? expected.toString() : Uint8Array.from(expected));
  }
});

test('a reply of an entry in a Node.js buffer outlives it, too', () => {
  const encoded = Buffer.from(encodeRecord(sampleRecord({ reply: new Uint8Array(41).fill(7) })));
  const { reply } = headOf(encoded);
  encoded.fill(0);
  assert.deepEqual(reply, new Uint8Array(41).fill(7));
});

test('names are told apart, however often they are met', () => {
  const sessions = Array.from({ length: 3000 }, (_, at) => `session-${at % 1000}`);
  for (const session of [...sessions, 'sessiön', 'sessi', 'sessiön']) {
    assert.equal(headOf(encodeRecord(sampleRecord({ session }))).session, session);
  }
});

for (const decode of [decodeHead, decodeStep]) {
  const read = (bytes: Uint8Array) => decode(bytes, 0, bytes.length);
  const { name } = decode;

  test(`${name}: what is cut short, too long, or of another form is damage (DATA_CORRUPT)`, () => {
    const corrupt = { code: 'DATA_CORRUPT' };
    const whole = encodeRecord(sampleRecord());
    for (let end = 0; end < whole.length; end++) {
      assert.throws(() => decode(whole, 0, end), corrupt, `prefix of ${end}`);
    }
    assert.throws(() => read(Uint8Array.of(...whole, 0)), corrupt);
    assert.throws(() => read(pack([2, 'counter'])), corrupt);
    assert.throws(() => read(pack([1, 'counter'])), corrupt);
    const newer = whole.slice();
    newer[3] = 2;
    assert.throws(() => read(newer), corrupt);
  });

  test(`${name}: random bytes are never taken for a record by accident or by crash`, () => {
    const whole = encodeRecord(sampleRecord());
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const changed = whole.slice();
        changed[at] = value;
        let seq: number;
        try {
          ({ seq } = read(changed));
        } catch (thrown) {
          assert.equal((thrown as { code: string }).code, 'DATA_CORRUPT');
          return;
        }
        // Taken only where the whole record can be read, too.
        assert.equal(seq, decodeRecord(changed).seq);
      }),
    );
  });
}

function hex(encoded: Uint8Array): string {
  return Buffer.from(encoded).toString('hex');
}
