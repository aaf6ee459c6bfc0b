import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from '@deltabase/base';
import fc from 'fast-check';
import { decodeRecord, encodeRecord } from '../src/index.js';
import { sampleRecord } from './sample.js';

const GOLDEN =
  'dc001401a7636f756e746572a676697369747307a26331cb4278bcfe568000000c0aa9616e6f6e796d6f7573a3616464' +
  'c4087b226279223a317dcb4278bcfe5687b000ceffffffff03c4285b7b226f70223a227265706c616365222c22706174' +
  '68223a222f6e222c2276616c7565223a377d5dc4013790ccfab03031323334353637383961626364656601';

test('a record has the bytes that other releases and languages expect (version 1)', () => {
  const hex = Buffer.from(encodeRecord(sampleRecord())).toString('hex');
  assert.equal(hex, GOLDEN);
});

test('a record comes back with every field', () => {
  for (const changes of [{}, { reply: undefined, snapshotAdvised: false }, { session: '' }]) {
    const record = sampleRecord(changes);
    const decoded = decodeRecord(Uint8Array.from(encodeRecord(record)));
    assert.deepEqual(normal(decoded), normal(record));
  }
});

test('records of any content come back', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(fc.string(), bytes, bytes, fc.maxSafeNat(), (key, payload, patch, number) => {
      const record = sampleRecord({ key, payload, patch, seq: Math.max(1, number) });
      assert.deepEqual(normal(decodeRecord(encodeRecord(record))), normal(record));
    }),
  );
});

test('a record of an unknown version or form is damage, not a guess', () => {
  const corrupt = { code: 'DATA_CORRUPT' };
  assert.throws(() => decodeRecord(pack([2, 'counter'])), corrupt);
  assert.throws(() => decodeRecord(pack([1, 'counter'])), corrupt);
  assert.throws(() => decodeRecord(Uint8Array.of(0xc1)), corrupt);
  assert.throws(() => decodeRecord(new Uint8Array(0)), corrupt);
  const whole = Uint8Array.from(encodeRecord(sampleRecord()));
  assert.throws(() => decodeRecord(whole.subarray(0, whole.length - 1)), corrupt);
});

test('bytes inside a decoded record are not copied', () => {
  const stored = Uint8Array.from(encodeRecord(sampleRecord()));
  assert.equal(decodeRecord(stored).patch.buffer, stored.buffer);
});

function normal(record: object): object {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    ]),
  );
}
