import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from '@deltabase/base';
import {
  type BulkFrame,
  decodeBulkFrame,
  decodeFrame,
  encodeBulkFrame,
  encodeFrame,
  foundersDigest,
  type Presence,
} from '../../src/peers/frame.js';
import { bytes, damaged, hex, isRead, own } from '../support/bytes.js';
import { CONF } from '../support/samples.js';

const HEADER = {
  cluster: 'sim',
  clusterId: 'id',
  groups: 16,
  founders: 9,
  incarnation: 4_000_000_000,
};
const HEAD = '08a373696da269641009ceee6b2800';
const PRESENCE: Presence = {
  life: 7,
  abstains: true,
  isWatched: false,
  wallMs: 1_700_000_000_000,
  notice: { expulsion: 'lost', clusterId: 'of' },
};
const PARTS = {
  raft: [[3, 9]],
  heartbeats: [5, 6],
  heartbeatResponses: [300],
  forwards: [[1]],
  answers: [[2], [4]],
  standings: [[5, [0]]],
};
const PULL: BulkFrame = {
  ...HEADER,
  kind: 'pull',
  group: 3,
  transfer: 70_000,
  after: bytes('k'),
};
const CHUNK: BulkFrame = {
  ...HEADER,
  kind: 'chunk',
  group: 3,
  transfer: 70_000,
  after: new Uint8Array(0),
  rows: [bytes('a'), bytes('1'), bytes('b'), new Uint8Array(0)],
  end: { index: 70_001, term: 5, confState: CONF, time: 9 },
};

test('a frame has the bytes that nodes of version 8 expect, and is read back', () => {
  const frame = own(encodeFrame(HEADER, PRESENCE, PARTS));
  const beat = '920506' + '91cd012c';
  assert.equal(
    hex(frame),
    `dc0011${HEAD}07c3c2cb4278bcfe568000009201a26f6691920309${beat}91910192910291049192059100`,
  );
  assert.deepEqual(decodeFrame(frame), { ...HEADER, ...PRESENCE, ...PARTS });
});

test('bulk frames have the bytes that nodes of version 8 expect, and are read back', () => {
  assert.equal(hex(encodeBulkFrame(PULL)), `9a${HEAD}0103ce00011170c4016b`);
  const conf = '95930102039201029105' + '9103c3';
  assert.equal(
    hex(encodeBulkFrame(CHUNK)),
    `9c${HEAD}0203ce00011170c40094c40161c40131c40162c40094ce0001117105${conf}09`,
  );
  for (const frame of [PULL, CHUNK, { ...CHUNK, end: undefined } as BulkFrame]) {
    assert.deepEqual(plain(decodeBulkFrame(own(encodeBulkFrame(frame)))), plain(frame));
  }
});

test('the digest of the first members is the same for the same members only', () => {
  assert.equal(foundersDigest([1, 2, 3]), 0x4a6d8559);
  assert.equal(foundersDigest([3, 1, 2]), foundersDigest([1, 2, 3]));
  const lists = [[1], [1, 2], [1, 2, 3], [12, 3], [1, 23], [123], [1, 2, 4]];
  assert.equal(new Set(lists.map(foundersDigest)).size, lists.length);
});

test('a frame cut short, changed or made of chance is malformed, or a frame; nothing else', () => {
  for (const input of damaged(own(encodeFrame(HEADER, PRESENCE, PARTS)), 1))
    isRead(decodeFrame, input);
  for (const [seed, frame] of [PULL, CHUNK].entries()) {
    for (const input of damaged(own(encodeBulkFrame(frame)), seed)) isRead(decodeBulkFrame, input);
  }
});

test('a frame of another version or with more fields is malformed', () => {
  const head = ['sim', 'id', 16, 9, 1];
  const rest = [7, false, true, 5, null, [], [], [], [], []];
  assert.ok(isRead(decodeFrame, own(pack([8, ...head, ...rest, []]))));
  assert.ok(!isRead(decodeFrame, own(pack([7, ...head, ...rest, []]))));
  assert.ok(!isRead(decodeFrame, own(pack([8, ...head, ...rest, [], []]))));
  assert.ok(!isRead(decodeFrame, own(pack([8, ...head, ...rest, 3]))));
  for (const [notice, isKnown] of [
    [[2, 'id'], true],
    [[3, 'id'], false],
    [[2, 'id', 0], false],
    [[2], false],
    [0, false],
  ] as const) {
    const told = [7, false, true, 5, notice, [], [], [], [], [], []];
    assert.equal(isRead(decodeFrame, own(pack([8, ...head, ...told]))), isKnown);
  }
  assert.ok(!isRead(decodeBulkFrame, own(pack([8, ...head, 3, 1, 1, bytes('')]))));
  assert.ok(!isRead(decodeBulkFrame, own(pack([8, ...head, 1, 1, 1, bytes(''), 0]))));
});

test('a chunk with half a row, or without rows and end, is malformed: nothing could follow it', () => {
  const half = { ...CHUNK, rows: [bytes('a')] };
  assert.ok(!isRead(decodeBulkFrame, own(encodeBulkFrame(half))));
  const nothing = { ...CHUNK, rows: [], end: undefined };
  assert.ok(!isRead(decodeBulkFrame, own(encodeBulkFrame(nothing))));
  const empty = { ...CHUNK, rows: [] };
  assert.ok(isRead(decodeBulkFrame, own(encodeBulkFrame(empty))));
});

function plain(frame: BulkFrame): unknown {
  const rows = frame.kind === 'chunk' ? frame.rows.map(hex) : undefined;
  return { ...frame, after: hex(frame.after), rows };
}
