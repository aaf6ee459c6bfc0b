import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRecord, encodeRecord } from '../src/index.js';
import { normal, records } from './records.js';
import { sampleRecord } from './sample.js';

const text = (written: string): string => Buffer.from(written).toString('hex');

/** Of `sampleRecord()`: byte by byte what docs/wire-formats.md says. */
const GOLDEN = [
  '23', // version 2; a snapshot is advised, there is a reply
  `00${'07'}${text('counter')}${'02'}${text('c1')}${'80d095ffbc31'}`,
  `09${text('anonymous')}${'03'}${text('add')}${'03'}`,
  `00${'06'}${text('visits')}`,
  '070c', // seq, number
  '04', // settled is 2 less
  'f601', // 123 ms after the session was opened
  `01${text('7')}`,
  `08${text('{"by":1}')}`,
  'ffffffff',
  `07${'28'}${text('[{"op":"replace","path":"/n","value":7}]')}${'00'}`,
  'fa01',
  '0123456789abcdef',
].join('');

test('a record has the bytes that other releases and languages expect (version 2)', () => {
  assert.equal(Buffer.from(encodeRecord(sampleRecord())).toString('hex'), GOLDEN);
});

test('a record comes back with every field', () => {
  for (const changes of [{}, { reply: undefined, snapshotAdvised: false }, { session: '' }]) {
    const record = sampleRecord(changes);
    const decoded = decodeRecord(Uint8Array.from(encodeRecord(record)));
    assert.deepEqual(normal(decoded), normal(record));
  }
});

test('records of any content come back', () => {
  fc.assert(
    fc.property(records, (record) => {
      assert.deepEqual(normal(decodeRecord(encodeRecord(record))), normal(record));
    }),
  );
});

test('a record of an unknown version or form is damage, not a guess', () => {
  const corrupt = { code: 'DATA_CORRUPT' };
  const whole = encodeRecord(sampleRecord());
  for (const first of [0x13, 0x33, 0x27, 0x2b, 0x00, 0xff]) {
    assert.throws(() => decodeRecord(Uint8Array.of(first, ...whole.subarray(1))), corrupt);
  }
  for (let end = 0; end < whole.length; end++) {
    assert.throws(() => decodeRecord(whole.subarray(0, end)), corrupt, `prefix of ${end}`);
  }
  assert.throws(() => decodeRecord(Uint8Array.of(...whole, 0)), corrupt);
  // By itself it has nothing to refer to.
  assert.throws(() => decodeRecord(Uint8Array.of(whole[0]!, 2, ...whole.subarray(2))), corrupt);
  const session = encodeRecord(sampleRecord({ session: 'c1' }));
  session[10] = 0xff; // no UTF-8
  assert.throws(() => decodeRecord(session), corrupt);
});

test('payload, patch and reply of a decoded record are not copied', () => {
  const stored = Uint8Array.from(encodeRecord(sampleRecord()));
  const { payload, patch, reply } = decodeRecord(stored);
  assert.equal(patch.buffer, stored.buffer);
  assert.equal(payload.buffer, stored.buffer);
  assert.equal(reply!.buffer, stored.buffer);
});

test('a record that could not be read again is never written', () => {
  for (const hash of [
    '',
    '0123456789abcde',
    '0123456789abcdef0',
    '0123456789abcdeg',
    '0123456789ABCDEF',
  ]) {
    assert.throws(() => encodeRecord(sampleRecord({ hash })), /16 hexadecimal digits/, hash);
  }
  for (const seed of [-1, 2 ** 32, 0.5]) {
    assert.throws(() => encodeRecord(sampleRecord({ seed })), /32 bits/);
  }
  for (const fuel of [-1, 0.5, 2 ** 53]) {
    assert.throws(() => encodeRecord(sampleRecord({ fuel })), /whole number/);
  }
  assert.throws(() => encodeRecord(sampleRecord({ time: 0.5 })), /whole number/);
  assert.throws(() => encodeRecord(sampleRecord({ seq: 0 })), /seq 1 or more/);
});
