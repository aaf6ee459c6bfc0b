import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack, unpack } from '@deltabase/base';
import {
  decodeAnswer,
  decodeForward,
  encodeAnswer,
  encodeForward,
} from '../../src/placement/forward-codec.js';
import { failure, type Result } from '../../src/results.js';
import { bytes, damaged, hex, isRead, own } from '../support/bytes.js';
import { sampleMessage } from '../support/samples.js';

const MESSAGE = sampleMessage({ payload: bytes('{}'), after: 3, number: 4, retried: true });
const RESULTS: readonly Result[] = [
  { kind: 'accepted', seq: 70_000, reply: bytes('[1]') },
  { kind: 'accepted', seq: 1, reply: undefined },
  failure('OVERLOADED', 'slower', { retryAfterMs: 100, why: 'queue', isFull: true }),
  failure('REJECTED', ''),
];

const decodeForwardBytes = (input: Uint8Array) => decodeForward(unpack(input));
const decodeAnswerBytes = (input: Uint8Array) => decodeAnswer(unpack(input));

test('a message that is passed on has the bytes that nodes of version 1 expect', () => {
  const forward = own(pack(encodeForward(2 ** 40, 9000, MESSAGE)));
  assert.equal(
    hex(forward),
    '9dcb4270000000000000cd2328a36c6f67a161a6617070656e64c4027b7d' +
      'a9616e6f6e796d6f7573a26331cb4278bcfe5680000001040301',
  );
  const { id, msLeft, message } = decodeForwardBytes(forward);
  assert.deepEqual([id, msLeft], [2 ** 40, 9000]);
  assert.deepEqual(
    { ...message, payload: hex(message.payload) },
    {
      ...MESSAGE,
      payload: hex(MESSAGE.payload),
    },
  );
});

test('answers have the bytes that nodes of version 1 expect, and come back as they were', () => {
  const golden = [
    '940700ce00011170c4035b315d',
    '94070001c0',
    '950701aa4f5645524c4f41444544a6736c6f77657296ac7265747279416674657' +
      '24d7364a3776879a57175657565a6697346756c6cc3',
    '950701a852454a4543544544a090',
  ];
  for (const [at, result] of RESULTS.entries()) {
    const answer = own(pack(encodeAnswer(7, result)));
    assert.equal(hex(answer), golden[at]);
    const decoded = decodeAnswerBytes(answer);
    assert.equal(decoded.id, 7);
    assert.deepEqual(plain(decoded.result), plain(result));
  }
});

test('what is cut short, changed or made of chance is malformed, or an answer; nothing else', () => {
  const forward = own(pack(encodeForward(5, 9000, MESSAGE)));
  for (const input of damaged(forward, 1)) isRead(decodeForwardBytes, input);
  for (const [seed, result] of RESULTS.entries()) {
    const answer = own(pack(encodeAnswer(7, result)));
    for (const input of damaged(answer, seed)) isRead(decodeAnswerBytes, input);
  }
});

test('an unknown kind or code, and details that are no plain values, are malformed', () => {
  const isAnswer = (list: unknown[]): boolean => isRead(decodeAnswerBytes, own(pack(list)));
  assert.ok(isAnswer([7, 1, 'REJECTED', 'why', ['a', 1]]));
  assert.ok(!isAnswer([7, 2, 'REJECTED', 'why', []]));
  assert.ok(!isAnswer([7, 1, 'NOT_A_CODE', 'why', []]));
  assert.ok(!isAnswer([7, 1, 'REJECTED', 'why', ['a', []]]));
  assert.ok(!isAnswer([7, 1, 'REJECTED', 'why', ['a']]));
  assert.ok(!isAnswer([7, 0, -1, null]));
  assert.ok(!isAnswer([7, 0, 1, 'text']));
  assert.ok(!isAnswer([7, 0, 1, null, 0]));
});

function plain(result: Result): unknown {
  const reply = result.kind === 'accepted' && result.reply !== undefined;
  return { ...result, reply: reply ? hex(result.reply!) : undefined };
}
