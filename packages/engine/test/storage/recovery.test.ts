import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import type { DiskOperation } from '../../src/ports.js';
import {
  activeKey,
  entryKey,
  groupKey,
  hardStateKey,
  NODE_KEY,
  peerKey,
  sessionKey,
} from '../../src/storage/keys.js';
import { formatNode, type RecoveredNode, recoverNode } from '../../src/storage/recovery.js';
import {
  encodeActive,
  encodeEntry,
  encodeGroupRow,
  encodeHardState,
  encodeNodeRow,
  encodePeer,
  type GroupRow,
} from '../../src/storage/rows.js';
import { bytes, own } from '../support/bytes.js';
import { del, promptDisk, put, resultOf } from '../support/disk.js';
import { CONF, entry, sampleConfig, sampleMember } from '../support/samples.js';

const CONFIG = sampleConfig();
const GROUP = 1;

function row(changes: Partial<GroupRow> = {}): Uint8Array {
  const base = { generation: 2, log: 0, flushedIndex: 6, flushedTerm: 2, confState: CONF, time: 5 };
  return own(encodeGroupRow({ ...base, ...changes }));
}

/** Group 1 with entries 4 to 9 of terms 1, 1, 2, 2, 3, 3, flushed up to 6, committed up to 8. */
function wholeNode(): DiskOperation[] {
  const operations = [...formatNode(CONFIG, makePrng(1)).operations];
  operations.push(put(groupKey(GROUP), row()));
  operations.push(put(hardStateKey(GROUP), own(encodeHardState({ term: 3, vote: 2, commit: 8 }))));
  for (const [offset, term] of [1, 1, 2, 2, 3, 3].entries()) {
    const index = 4 + offset;
    operations.push(put(entryKey(GROUP, index), encodeEntry(entry(index, term))));
  }
  operations.push(put(sessionKey(GROUP, 2, 'c1'), bytes('session')));
  operations.push(put(sessionKey(GROUP, 1, 'old'), bytes('of the generation before')));
  operations.push(put(activeKey(GROUP, 2, 'log'), own(encodeActive(3))));
  operations.push(put(sessionKey(GROUP, 5, 'c9'), bytes('an attempt at a snapshot')));
  operations.push(put(peerKey(2), own(encodePeer(77))));
  return operations;
}

function recover(changes: readonly DiskOperation[] = [], config = CONFIG) {
  const disk = promptDisk(wholeNode());
  if (changes.length > 0) disk.write(changes, () => {});
  return resultOf(recoverNode(disk, config));
}

test('a node finds what it had: its identity, its peers, its logs and what its rows hold', () => {
  const node = recover() as RecoveredNode;
  assert.equal(node.row.node, 1);
  assert.deepEqual([...node.peers], [[2, 77]]);
  assert.equal(node.groups.length, 3);
  const group = node.groups[GROUP]!;
  assert.deepEqual(
    group.log.entries.map(({ index, term }) => [index, term]),
    [
      [4, 1],
      [5, 1],
      [6, 2],
      [7, 2],
      [8, 3],
      [9, 3],
    ],
  );
  assert.equal(group.log.snapshot.index, 6);
  assert.deepEqual(group.log.hardState, { term: 3, vote: 2, commit: 8 });
  assert.deepEqual(group.log.snapshot.confState, CONF);
  assert.deepEqual(
    group.machine.sessions.map(({ name }) => name),
    ['c1'],
  );
  assert.deepEqual(group.machine.active, [{ space: 'log', version: 3 }]);
  assert.equal(group.generationsUsed, 5);
});

test('a new node is formatted in one batch and recovers as what it was made', () => {
  const { operations, node } = formatNode(CONFIG, makePrng(9));
  const disk = promptDisk(operations);
  assert.deepEqual(resultOf(recoverNode(disk, CONFIG)), node);
});

test('an empty disk is a new node; one with rows and no identity is a damaged one', () => {
  assert.equal(resultOf(recoverNode(promptDisk(), CONFIG)), undefined);
  assert.throws(() => recover([del(NODE_KEY)]), { code: 'DATA_CORRUPT' });
});

test('a node refuses data of another node, cluster or number of groups; members are only its beginning', () => {
  for (const changes of [{ node: 2 }, { cluster: 'other' }, { groups: 1 }]) {
    assert.throws(() => recover([], { ...CONFIG, ...changes }), { code: 'NODE_MISMATCH' });
  }
  const other = recover([], { ...CONFIG, members: [sampleMember(7)] });
  assert.deepEqual(other?.row.founders, [1, 2, 3]);
});

test('a node without data is one of the first, or joins with what others know of the cluster', () => {
  const members = [sampleMember(2)];
  assert.throws(() => resultOf(recoverNode(promptDisk(), { ...CONFIG, members })), {
    code: 'INVALID_ARGUMENT',
    message: /not among the first members.*--join/,
  });
  const joining = { ...CONFIG, members, join: { clusterId: 'id', founders: [7, 8] } };
  assert.equal(resultOf(recoverNode(promptDisk(), joining)), undefined);
  const { row, groups } = formatNode(joining, makePrng(1)).node;
  assert.deepEqual([row.clusterId, row.founders, row.members], ['id', [7, 8], members]);
  for (const group of groups) assert.deepEqual(group.row.confState.voters, [7, 8]);
});

test('an expelled node does not start again, and says what to do', () => {
  const { row } = formatNode(CONFIG, makePrng(9)).node;
  const says = {
    removed: /was removed.*--join/,
    lost: /cluster replace 1 NEW/,
    'left-behind': /recovered without this data directory/,
  } as const;
  for (const expulsion of ['removed', 'lost', 'left-behind'] as const) {
    const value = encodeNodeRow({ ...row, expulsion });
    assert.throws(() => recover([{ kind: 'put', key: NODE_KEY, value }]), {
      code: 'NODE_REMOVED',
      message: says[expulsion],
    });
  }
});

/** What a disk may have lost or mixed up, and what the refusal says of it. */
const DAMAGE: ReadonlyArray<readonly [string, readonly DiskOperation[], RegExp]> = [
  ['a hole in the entries', [del(entryKey(GROUP, 7))], /entry 7 of its log is missing/],
  [
    'a log that begins behind its rows',
    [4, 5, 6, 7].map((index) => del(entryKey(GROUP, index))),
    /begins at 8, its rows end at 6/,
  ],
  [
    'a log that ends before its rows do',
    [6, 7, 8, 9].map((index) => del(entryKey(GROUP, index))),
    /ends before its rows do/,
  ],
  [
    'less log than was committed',
    [8, 9].map((index) => del(entryKey(GROUP, index))),
    /committed 8 and its log ends at 7/,
  ],
  [
    'no log where more was committed than is flushed',
    [4, 5, 6, 7, 8, 9].map((index) => del(entryKey(GROUP, index))),
    /committed 8 and its log ends at 6/,
  ],
  [
    'a vote that is older than the log',
    [put(hardStateKey(GROUP), own(encodeHardState({ term: 2, vote: 0, commit: 8 })))],
    /log is of term 3, its vote of term 2/,
  ],
  ['a lost hard state', [del(hardStateKey(GROUP))], /its vote of term 0/],
  [
    'a term that goes back',
    [put(entryKey(GROUP, 8), encodeEntry(entry(8, 1)))],
    /goes back at entry 8/,
  ],
  [
    'rows that were flushed of another log',
    [put(groupKey(GROUP), row({ flushedTerm: 3 }))],
    /rows are of term 3, its log of term 2/,
  ],
  [
    'rows that were flushed of an older log',
    [put(groupKey(GROUP), row({ flushedTerm: 1 }))],
    /rows are of term 1, its log of term 2/,
  ],
  [
    'rows that are ahead of the log',
    [put(groupKey(GROUP), row({ flushedIndex: 12, flushedTerm: 3 }))],
    /ends before its rows do/,
  ],
  ['a missing group row', [del(groupKey(GROUP))], /its row is missing/],
  ['a group row of another form', [put(groupKey(GROUP), bytes('??'))], /unknown version or form/],
  ['an identity of another form', [put(NODE_KEY, bytes('??'))], /unknown version or form/],
  ['a hard state of another form', [put(hardStateKey(GROUP), bytes('?'))], /unknown version/],
  ['an entry of another form', [put(entryKey(GROUP, 5), bytes('?'))], /log entry 5/],
  ['an active version of another form', [put(activeKey(GROUP, 2, 'x'), bytes('?'))], /active/],
];

for (const [what, changes, says] of DAMAGE) {
  test(`a node with ${what} does not start (AckedIsDurable)`, () => {
    assert.throws(
      () => recover(changes),
      (thrown: { code: string; message: string }) => {
        assert.equal(thrown.code, 'DATA_CORRUPT');
        assert.match(thrown.message, says);
        return true;
      },
    );
  });
}

test('a log that was compacted right up to its rows is whole', () => {
  const node = recover([4, 5].map((index) => del(entryKey(GROUP, index)))) as RecoveredNode;
  assert.equal(node.groups[GROUP]!.log.entries[0]!.index, 6);
});
