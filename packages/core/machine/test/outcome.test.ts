import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from '@deltabase/base';
import { decodeOutcome, encodeOutcome } from '../src/index.js';
import { sampleOutcome } from './sample.js';

const REFUSED =
  '9901a7636f756e746572a6766973697473a26331cb4278bcfe568000000c0acb4278bcfe5687b00092a852454a454354' +
  '4544a8736f6c64206f7574';
const UNCHANGED =
  '9901a7636f756e746572a6766973697473a26331cb4278bcfe568000000c0acb4278bcfe5687b0009207c40137';

const unchanged = sampleOutcome({
  answer: { kind: 'accepted', seq: 7, reply: new TextEncoder().encode('7') },
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

test('an outcome has the bytes that other releases and languages expect (version 1)', () => {
  assert.equal(hex(encodeOutcome(sampleOutcome())), REFUSED);
  assert.equal(hex(encodeOutcome(unchanged)), UNCHANGED);
});

test('an outcome comes back with every field', () => {
  const silent = sampleOutcome({ answer: { kind: 'accepted', seq: 0, reply: undefined } });
  for (const outcome of [sampleOutcome(), silent]) {
    assert.deepEqual(decodeOutcome(encodeOutcome(outcome).slice()), outcome);
  }
  const { answer } = decodeOutcome(encodeOutcome(unchanged).slice());
  assert.ok(answer.kind === 'accepted');
  assert.equal(Buffer.from(answer.reply!).toString(), '7');
});

test('an outcome of an unknown version, form or code is damage, not a guess', () => {
  const corrupt = { code: 'DATA_CORRUPT' };
  const fields = (answer: unknown) => [1, 'counter', 'visits', 'c1', 1, 12, 10, 2, answer];
  assert.doesNotThrow(() => decodeOutcome(pack(fields([7, null])).slice()));
  assert.throws(() => decodeOutcome(pack([2, ...fields([7, null]).slice(1)]).slice()), corrupt);
  assert.throws(() => decodeOutcome(pack(fields(['NO_SUCH_CODE', 'x'])).slice()), corrupt);
  assert.throws(() => decodeOutcome(pack(fields(7)).slice()), corrupt);
  assert.throws(() => decodeOutcome(pack([1]).slice()), corrupt);
});
