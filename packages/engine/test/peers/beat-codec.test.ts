import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack, unpack } from '@deltabase/base';
import {
  type GroupHeartbeat,
  type GroupHeartbeatResponse,
  readHeartbeatResponses,
  readHeartbeats,
  writeHeartbeat,
  writeHeartbeatResponse,
} from '../../src/peers/beat-codec.js';
import { damaged, isRead, own } from '../support/bytes.js';
import { HEARTBEAT, HEARTBEAT_RESPONSE } from '../support/raft-messages.js';

const ENDS = { from: 2, to: 1 };
const BEATS: readonly GroupHeartbeat[] = [
  { group: 3, message: HEARTBEAT, offersSleep: false },
  { group: 70_000, message: { ...HEARTBEAT, term: 2 ** 40, commit: 5 }, offersSleep: true },
];
const RESPONSES: readonly GroupHeartbeatResponse[] = [
  { group: 3, message: HEARTBEAT_RESPONSE, sleepsAt: 0 },
  { group: 0, message: { ...HEARTBEAT_RESPONSE, damaged: false }, sleepsAt: 2 ** 40 },
];

function beats(list: readonly unknown[]): GroupHeartbeat[] {
  return [...readHeartbeats(list, ENDS)];
}

function responses(list: readonly unknown[]): GroupHeartbeatResponse[] {
  return [...readHeartbeatResponses(list, ENDS)];
}

test('heartbeats and answers of many groups come back as they were sent', () => {
  const list: number[] = [];
  for (const beat of BEATS) writeHeartbeat(list, beat);
  assert.deepEqual(list, [3, 9, 4, 5, 2, 0, 70_000, 2 ** 40, 5, 5, 2, 1]);
  assert.deepEqual(beats(list), BEATS);
  const answers: number[] = [];
  for (const response of RESPONSES) writeHeartbeatResponse(answers, response);
  assert.deepEqual(answers, [3, 9, 2, 1, 0, 0, 9, 2, 0, 2 ** 40]);
  assert.deepEqual(responses(answers), RESPONSES);
  assert.deepEqual([beats([]), responses([])], [[], []]);
});

test('lists cut short, changed or made of chance are malformed, or lists; nothing else', () => {
  const list: number[] = [];
  for (const beat of BEATS) writeHeartbeat(list, beat);
  for (const read of [beats, responses]) {
    const decode = (input: Uint8Array): unknown => {
      const value = unpack(input);
      return read(Array.isArray(value) ? value : []);
    };
    for (const input of damaged(own(pack(list)), 4)) isRead(decode, input);
  }
});

test('what no sender ever says is malformed: more committed than held, other flags, half a group', () => {
  const wrong = [
    [3, 9, 6, 5, 2, 0],
    [3, 9, 4, 5, 2, 2],
    [3, 9, 4, 5, 2],
    [3, 9, 4, 5, -1, 0],
    [3, '9', 4, 5, 2, 0],
  ];
  for (const list of wrong) assert.ok(!isRead(() => beats(list), new Uint8Array(0)), list.join());
  const answers = [
    [3, 9, 2, 2, 0],
    [3, 9, 2, 1],
    [3, 9, 2.5, 1, 0],
  ];
  for (const list of answers) {
    assert.ok(!isRead(() => responses(list), new Uint8Array(0)), list.join());
  }
});
