import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack, unpack } from '@deltabase/base';
import {
  decodeRaftMessage,
  encodeRaftMessage,
  type ListedMessage,
} from '../../src/peers/raft-codec.js';
import { damaged, hex, isRead, own } from '../support/bytes.js';
import { LISTED_MESSAGES as MESSAGES } from '../support/raft-messages.js';
import { entry } from '../support/samples.js';

/** What the frame holds of each message of MESSAGES, in frames of version 3. */
const GOLDEN: readonly string[] = [
  '9903000209ce0001117008ce0001116f00960800c401610901c4026263',
  '99030002090000000090',
  '9803010209050403c3',
  '98030202090708c3c0',
  '98030402090708c2920306',
  '9603030209c2c0',
  '9603050209c3920306',
  '98030602093204959301020392010291059103c3c40101',
  '98030602090101959101909090c2c400',
  '9403070209',
  '950308020903',
  '9503090200c4080102030405060708',
  '96030a02090cc4080102030405060708',
];

function encode(message: ListedMessage): Uint8Array {
  return own(pack(encodeRaftMessage(3, message)));
}

function decode(bytes: Uint8Array) {
  return decodeRaftMessage(1, unpack(bytes));
}

/** The codec's lists, with a change. */
function changed(message: ListedMessage, change: (list: unknown[]) => void): Uint8Array {
  const list = encodeRaftMessage(3, message);
  change(list);
  return own(pack(list));
}

test('every kind of message has the bytes that nodes of version 3 expect', () => {
  assert.deepEqual(
    MESSAGES.map((message) => hex(encode(message))),
    GOLDEN,
  );
});

test('every kind of message comes back as it was sent', () => {
  for (const message of MESSAGES) {
    const { group, message: decoded } = decode(encode(message));
    assert.equal(group, 3);
    assert.deepEqual(plain(decoded), plain(message));
  }
});

test('a message cut short, changed or made of chance is malformed, or a message; nothing else', () => {
  let read = 0;
  for (const [seed, message] of MESSAGES.entries()) {
    for (const input of damaged(encode(message), seed)) if (isRead(decode, input)) read++;
  }
  assert.ok(read > 100, `the damage is fine enough that ${read} are still messages`);
});

test('entries stand alone: they do not hold the frame that they came in', () => {
  const frame = encode(MESSAGES[0]!);
  const { message } = decode(frame);
  assert.ok(message.type === 'append');
  for (const { data } of message.entries) assert.notEqual(data.buffer, frame.buffer);
});

test('what no sender ever says is malformed', () => {
  const [append] = MESSAGES as readonly [Extract<ListedMessage, { type: 'append' }>];
  const back = { ...append, entries: [entry(70_001, 9), entry(70_002, 8)] };
  const ahead = { ...append, entries: [entry(70_001, 10)] };
  const behind = { ...append, entries: [entry(70_001, 7)] };
  for (const message of [back, ahead, behind]) assert.ok(!isRead(decode, encode(message)));
});

test('fields too many, of another type or below 0, and unknown kinds are malformed', () => {
  for (const message of MESSAGES) {
    assert.ok(
      !isRead(
        decode,
        changed(message, (list) => list.push(1)),
      ),
      message.type,
    );
    assert.ok(
      !isRead(
        decode,
        changed(message, (list) => (list[2] = -1)),
      ),
      message.type,
    );
    assert.ok(
      !isRead(
        decode,
        changed(message, (list) => (list[3] = '9')),
      ),
      message.type,
    );
    assert.ok(
      !isRead(
        decode,
        changed(message, (list) => (list[1] = 11)),
      ),
      message.type,
    );
    assert.ok(
      !isRead(
        decode,
        changed(message, (list) => (list[0] = 0.5)),
      ),
      message.type,
    );
  }
  for (const other of [null, 7, 'text', {}, []]) assert.ok(!isRead(decode, own(pack([other]))));
});

test('entries are proposed by leaders only, so a passed-on proposal is a defect', () => {
  const propose = { type: 'propose', from: 1, to: 2, term: 0, entries: [] } as const;
  assert.throws(() => encodeRaftMessage(1, propose), /only a leader proposes/);
});

function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, field) =>
      field instanceof Uint8Array || field?.type === 'Buffer' ? hex(Buffer.from(field)) : field,
    ),
  );
}
