import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from '@deltabase/base';
import {
  decodeActive,
  decodeEntry,
  decodeGroupRow,
  decodeHardState,
  decodeNodeRow,
  decodePeer,
  decodeRecoveryRow,
  encodeActive,
  encodeEntry,
  encodeGroupRow,
  encodeHardState,
  encodeNodeRow,
  encodePeer,
  encodeRecoveryRow,
  type NodeRow,
  type RecoveryRow,
} from '../../src/storage/rows.js';
import { damaged, hex, isRead, own } from '../support/bytes.js';
import { CONF, entry } from '../support/samples.js';

const NODE: NodeRow = {
  cluster: 'sim',
  clusterId: 'id',
  node: 2,
  incarnation: 4_000_000_000,
  groups: 16,
  founders: [1, 2],
  members: [{ node: 4, peerAddress: 'p:1', clientAddress: 'c:2' }],
  expulsion: 'lost',
};
const RECOVERY: RecoveryRow = {
  clusterId: 'new',
  formerId: 'id',
  node: 2,
  takenFrom: [4],
  givenUp: [1, 3],
  timeMs: 1_700_000_000_123,
};
const GROUP = {
  generation: 3,
  log: 0,
  flushedIndex: 70_000,
  flushedTerm: 5,
  confState: CONF,
  time: 1_700_000_000_123,
};
const HARD = { term: 9, vote: 2, commit: 70_001 };
const ENTRY = entry(12, 2 ** 33 + 1, 'abc');

/** Each row's bytes, what its decoder makes of them, and what went in. */
const ROWS: ReadonlyArray<{
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly golden: string;
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly value: unknown;
}> = [
  {
    name: 'node',
    bytes: own(encodeNodeRow(NODE)),
    golden: '9903a373696da2696402ceee6b280010920102919304a3703a31a3633a32a46c6f7374',
    decode: decodeNodeRow,
    value: NODE,
  },
  {
    name: 'recovery',
    bytes: own(encodeRecoveryRow(RECOVERY)),
    golden: '9701a36e6577a26964029104920103' + 'cb4278bcfe5687b000',
    decode: decodeRecoveryRow,
    value: RECOVERY,
  },
  {
    name: 'group',
    bytes: own(encodeGroupRow(GROUP)),
    golden: '960103ce000111700595930102039201029105' + '9103c3cb4278bcfe5687b000',
    decode: decodeGroupRow,
    value: GROUP,
  },
  {
    name: 'group with another log than the first',
    bytes: own(encodeGroupRow({ ...GROUP, log: 4 })),
    golden: '970203ce000111700595930102039201029105' + '9103c3cb4278bcfe5687b000' + '04',
    decode: decodeGroupRow,
    value: { ...GROUP, log: 4 },
  },
  {
    name: 'hard state',
    bytes: own(encodeHardState(HARD)),
    golden: '94010902ce00011171',
    decode: decodeHardState,
    value: HARD,
  },
  {
    name: 'active version',
    bytes: own(encodeActive(7)),
    golden: '920107',
    decode: decodeActive,
    value: 7,
  },
  {
    name: 'peer',
    bytes: own(encodePeer(4_000_000_000)),
    golden: '9201ceee6b2800',
    decode: decodePeer,
    value: 4_000_000_000,
  },
];

for (const { name, bytes, golden, decode, value } of ROWS) {
  test(`a ${name} row has the bytes that data directories hold, and is read back`, () => {
    assert.equal(hex(bytes), golden);
    assert.deepEqual(decode(bytes), value);
  });

  test(`a ${name} row of another version, length or form is damage, not a guess`, () => {
    const corrupt = { code: 'DATA_CORRUPT' };
    assert.throws(() => decode(own(pack([2, 1, 1, 1, 1, 1]))), corrupt);
    assert.throws(() => decode(own(pack([1]))), corrupt);
    assert.throws(() => decode(own(pack([1, 1, 1, 1, 1, 1, 1, 1]))), corrupt);
    assert.throws(() => decode(new Uint8Array(0)), corrupt);
    for (const input of damaged(bytes, 1)) isRead(decode, input);
    for (let length = 0; length < bytes.length; length++) {
      assert.ok(!isRead(decode, bytes.subarray(0, length)), `${length} bytes`);
    }
  });
}

test('a log entry has the bytes that data directories hold, and is read back', () => {
  const stored = encodeEntry(ENTRY);
  assert.equal(hex(stored), '010000000200000001616263');
  assert.deepEqual(decodeEntry(12, stored), ENTRY);
  const change = { ...ENTRY, type: 'confChange' as const };
  assert.equal(hex(encodeEntry(change)), '020000000200000001616263');
  assert.deepEqual(decodeEntry(12, encodeEntry(change)), change);
  assert.deepEqual(decodeEntry(1, encodeEntry(entry(1, 1, ''))), entry(1, 1, ''));
});

test('a log entry of an unknown kind, or one cut short, is damage', () => {
  const stored = encodeEntry(ENTRY);
  for (const kind of [0, 3, 255]) {
    assert.ok(!isRead((bytes) => decodeEntry(1, bytes), Uint8Array.of(kind, ...stored.slice(1))));
  }
  for (let length = 0; length < 9; length++) {
    assert.ok(!isRead((bytes) => decodeEntry(1, bytes), stored.subarray(0, length)));
  }
});
