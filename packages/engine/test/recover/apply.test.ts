// What a recovery reads and leaves on a disk, row by row.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import type { MemoryDisk } from '@deltabase/testkit';
import { type ConfChange, type ConfState, type Entry, encodeConfChange, votersOnly } from 'raft-ts';
import type { Disk, DiskOperation } from '../../src/ports.js';
import { applyRecovery } from '../../src/recover/apply.js';
import { planRecovery } from '../../src/recover/plan.js';
import { readSurvivor } from '../../src/recover/survivor.js';
import {
  entryKey,
  groupKey,
  hardStateKey,
  NODE_KEY,
  peerKey,
  sessionKey,
} from '../../src/storage/keys.js';
import { formatNode, type RecoveredNode, recoverNode } from '../../src/storage/recovery.js';
import {
  encodeEntry,
  encodeGroupRow,
  encodeHardState,
  encodeNodeRow,
  encodePeer,
} from '../../src/storage/rows.js';
import { own } from '../support/bytes.js';
import { promptDisk, put, resultOf } from '../support/disk.js';
import { entry, sampleConfig } from '../support/samples.js';

const CONFIG = sampleConfig();
const GROUP = 1;
const THREE = votersOnly([1, 2, 3]);
/** Two of these are no quorum. */
const FIVE = votersOnly([1, 2, 3, 4, 5]);
const ADD: ConfChange = {
  transition: 'auto',
  changes: [{ kind: 'addLearner', node: 6 }],
  context: new Uint8Array(0),
};

interface Sample {
  readonly node?: number;
  readonly flushedIndex?: number;
  readonly entries: readonly Entry[];
  readonly commit?: number;
  readonly term?: number;
  readonly session?: string;
  /** So large, and so many of them. */
  readonly sessionBytes?: number;
  readonly sessions?: number;
  readonly expulsion?: 'removed';
  readonly conf?: ConfState;
}

/** A node whose group 1 has these entries, of which it has flushed some; all else is as it was made. */
function diskOf(sample: Sample): MemoryDisk {
  const { node = 1, flushedIndex = 0, entries, term = 3, session = 'of 1', expulsion } = sample;
  const { sessions = 1, sessionBytes = 7 } = sample;
  const { commit = flushedIndex, conf = THREE } = sample;
  const config = { ...CONFIG, node };
  const { operations, node: made } = formatNode(config, makePrng(node));
  const flushedTerm = entries.find(({ index }) => index === flushedIndex)?.term ?? 0;
  const row = { generation: 2, log: 0, flushedIndex, flushedTerm, confState: conf, time: 5 };
  return promptDisk([
    ...operations,
    put(NODE_KEY, encodeNodeRow({ ...made.row, clusterId: 'before', expulsion })),
    put(groupKey(GROUP), own(encodeGroupRow(row))),
    put(hardStateKey(GROUP), own(encodeHardState({ term, vote: 2, commit }))),
    ...entries.map((one) => put(entryKey(GROUP, one.index), encodeEntry(one))),
    ...Array.from({ length: sessions }, (_, part) =>
      put(sessionKey(GROUP, 2, session, part), new Uint8Array(sessionBytes).fill(part)),
    ),
    put(peerKey(2), own(encodePeer(77))),
  ]);
}

function change(index: number, term: number): Entry {
  return { index, term, type: 'confChange', data: encodeConfChange(ADD) };
}

function recover(target: MemoryDisk, others: readonly MemoryDisk[] = []): RecoveredNode {
  const disks = [target, ...others];
  const survivors = disks.map((disk) => resultOf(readSurvivor(disk)));
  const plan = planRecovery(survivors);
  const nodes = survivors.slice(1).map(({ row }, at) => [row.node, others[at]!] as const);
  const options = { disk: target, others: new Map(nodes), random: makePrng(9), timeMs: 5 };
  resultOf(applyRecovery(plan, options));
  return resultOf(recoverNode(target, { ...CONFIG, members: [] }))!;
}

const LOG = [entry(1, 1), change(2, 1), entry(3, 2), change(4, 2), entry(5, 3)];

test('a survivor tells how far a group got, and who is in it or comes with its log', () => {
  const [, group] = resultOf(readSurvivor(diskOf({ entries: LOG, commit: 3 }))).groups;
  const { term, lastTerm, lastIndex, commit, conf, named } = group!;
  assert.deepEqual([term, lastTerm, lastIndex, commit], [3, 3, 5, 3]);
  assert.deepEqual(conf, { ...THREE, learners: [6] });
  assert.deepEqual([...named].sort(), [1, 2, 3, 6]);
  const [, early] = resultOf(readSurvivor(diskOf({ entries: LOG, commit: 1 }))).groups;
  assert.deepEqual(early!.conf, THREE, 'what is not known to be committed is not in force');
  assert.deepEqual([...early!.named].sort(), [1, 2, 3, 6]);
});

test('a directory that is empty, damaged or of an expelled node is no survivor', () => {
  assert.throws(() => resultOf(readSurvivor(promptDisk())), { code: 'INVALID_ARGUMENT' });
  const damaged = diskOf({ entries: [entry(1, 1), entry(3, 1)] });
  assert.throws(() => resultOf(readSurvivor(damaged)), { code: 'DATA_CORRUPT' });
  const expelled = diskOf({ entries: LOG, expulsion: 'removed' });
  assert.throws(() => resultOf(readSurvivor(expelled)), { code: 'NODE_REMOVED' });
});

test('the node is alone in a new cluster, under a new incarnation, and knows what happened', () => {
  const disk = diskOf({ entries: LOG });
  const before = resultOf(recoverNode(disk, CONFIG))!.row;
  const { row, peers, recovery } = recover(disk);
  assert.match(row.clusterId, /^[0-9a-f]{16}$/);
  assert.notEqual(row.incarnation, before.incarnation);
  assert.deepEqual([row.founders, row.members.map(({ node }) => node)], [[1], [1]]);
  assert.equal(peers.size, 0);
  assert.deepEqual(recovery, {
    clusterId: row.clusterId,
    ...{ formerId: 'before', node: 1, takenFrom: [], givenUp: [2, 3, 6], timeMs: 5 },
  });
});

test('all of the log that is not flushed stays, and changes of members in it become nothing', () => {
  const { groups } = recover(diskOf({ entries: LOG, commit: 2 }));
  const { row, log } = groups[GROUP]!;
  assert.deepEqual(row.confState, votersOnly([1]));
  assert.deepEqual(log.hardState, { term: 4, vote: 0, commit: 2 });
  assert.deepEqual(
    log.entries.map(({ index, term, type, data }) => [index, term, type, data.length > 0]),
    [
      [1, 1, 'normal', true],
      [2, 1, 'normal', false],
      [3, 2, 'normal', true],
      [4, 2, 'normal', false],
      [5, 3, 'normal', true],
    ],
  );
});

test('the log that is flushed goes, so that nobody begins with a configuration of before', () => {
  const { groups } = recover(diskOf({ entries: LOG, flushedIndex: 3 }));
  const { row, log, machine } = groups[GROUP]!;
  assert.deepEqual([row.flushedIndex, row.flushedTerm, row.generation], [3, 2, 2]);
  assert.deepEqual(
    log.entries.map(({ index }) => index),
    [4, 5],
  );
  assert.deepEqual(
    machine.sessions.map(({ name }) => name),
    ['of 1'],
  );
  const all = recover(diskOf({ entries: LOG, flushedIndex: 5 }));
  assert.deepEqual(all.groups[GROUP]!.log.entries, []);
});

test('a group that another survivor has more of is its: rows, log and place; the others stay', () => {
  // An end that is longer, but of an older term.
  const old = [...LOG.slice(0, 3), ...[4, 5, 6, 7].map((index) => entry(index, 2, 'never'))];
  const target = diskOf({ entries: old, conf: FIVE });
  const entries = [...LOG.slice(0, 4), entry(5, 4)];
  const other = diskOf({ node: 2, entries, flushedIndex: 3, term: 6, session: 'of 2', conf: FIVE });
  const untouched = other.durable;
  const { groups, recovery } = recover(target, [other]);
  const { row, log, machine, generationsUsed } = groups[GROUP]!;
  assert.deepEqual(recovery!.takenFrom, [2]);
  assert.deepEqual([row.flushedIndex, row.generation, generationsUsed], [3, 3, 3]);
  assert.deepEqual(log.hardState.term, 7);
  assert.deepEqual(
    log.entries.map(({ index, term }) => [index, term]),
    [
      [4, 2],
      [5, 4],
    ],
  );
  assert.deepEqual(
    machine.sessions.map(({ name }) => name),
    ['of 2'],
  );
  assert.equal(groups[2]!.row.generation, 1);
  assert.equal(other.durable, untouched, 'it is only read');
});

test('rows are copied whole, however many and large they are', () => {
  const rows = { session: 'of 2', sessions: 7, sessionBytes: 600_000 };
  const other = diskOf({ ...rows, node: 2, entries: [...LOG, entry(6, 3)], conf: FIVE });
  const { groups } = recover(diskOf({ entries: LOG, conf: FIVE }), [other]);
  const { sessions } = groups[GROUP]!.machine;
  assert.deepEqual(
    sessions.map(({ part, bytes: of }) => [part, of.length, of[9]]),
    Array.from({ length: 7 }, (_, part) => [part, 600_000, part]),
  );
});

test('logs are copied in bounded batches, however long they are, and what switches over is small', () => {
  const entries = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((index) =>
    entry(index, 1, String(index).repeat(300_000)),
  );
  // Its own log, and another one's.
  for (const from of [1, 2]) {
    const target = diskOf({ entries: from === 1 ? entries : LOG, conf: FIVE, term: 9 });
    const others =
      from === 1 ? [] : [diskOf({ node: 2, entries: [...entries, entry(13, 3)], conf: FIVE })];
    const sizes: number[] = [];
    let switchBytes = 0;
    const write = target.write.bind(target);
    target.write = (batch, done) => {
      const bytes = batch.reduce((sum, one) => {
        return sum + one.key.length + (one.kind === 'put' ? one.value.length : 0);
      }, 0);
      if (batch.some(({ key }) => key === NODE_KEY)) switchBytes = bytes;
      else sizes.push(bytes);
      write(batch, done);
    };
    const { log } = recover(target, others).groups[GROUP]!;
    assert.deepEqual(
      log.entries.map(({ index, data }) => [index, data.length]).slice(0, 12),
      entries.map(({ index, data }) => [index, data.length]),
    );
    // A page of a megabyte, and the row that fills it.
    assert.ok(Math.max(...sizes) < 2_000_000, `${Math.max(...sizes)} bytes in a batch`);
    assert.ok(sizes.filter((bytes) => bytes > 500_000).length >= 4, 'several pages');
    assert.ok(switchBytes > 0 && switchBytes < 1000, `${switchBytes} bytes switch over`);
  }
});

test('a recovery that is cut short anywhere has changed nothing that counts, and can be begun again', () => {
  // Some pages of them.
  const long = [6, 7, 8, 9, 10, 11].map((index) => entry(index, 3, 'long'.repeat(200_000)));
  const more = {
    node: 2,
    entries: [...LOG, ...long],
    flushedIndex: 3,
    session: 'of 2',
    conf: FIVE,
  };
  const other = (): MemoryDisk => diskOf(more);
  const before = (): MemoryDisk => diskOf({ entries: LOG, conf: FIVE });
  const whole = recover(before(), [other()]);
  let isDone = false;
  let writesBefore = 0;
  let writesAfter = 0;
  for (let writes = 0; !isDone; writes++) {
    const target = before();
    isDone = applyUntil(target, other(), writes);
    const found = resultOf(recoverNode(target, CONFIG))!;
    const { log, machine } = found.groups[GROUP]!;
    if (found.row.clusterId === 'before') {
      writesBefore++;
      assert.deepEqual(
        log.entries,
        resultOf(recoverNode(before(), CONFIG))!.groups[GROUP]!.log.entries,
      );
      assert.deepEqual(
        machine.sessions.map(({ name }) => name),
        ['of 1'],
      );
      // This time the other directory is one that has a little less.
      const less = diskOf({ ...more, entries: [...LOG, ...long.slice(0, 1)] });
      const last = recover(target, [less]).groups[GROUP]!.log.entries.at(-1)!;
      assert.equal(last.index, 6, 'nothing of the first attempt is left');
      continue;
    }
    writesAfter++;
    assert.equal(found.row.clusterId, whole.row.clusterId);
    assert.deepEqual(log, whole.groups[GROUP]!.log);
    assert.deepEqual(machine, whole.groups[GROUP]!.machine);
  }
  assert.ok(
    writesBefore >= 5,
    'rows and pages of the log first, then the batch that switches over',
  );
  assert.ok(writesAfter >= 2, 'and the log of before goes last');
});

/** Recovers on a disk that ends after so many writes; says whether it was done by then. */
function applyUntil(target: MemoryDisk, other: MemoryDisk, writes: number): boolean {
  let left = writes;
  const disk: Disk = Object.assign(Object.create(target) as MemoryDisk, {
    get: target.get.bind(target),
    range: target.range.bind(target),
    compact: target.compact.bind(target),
    write(batch: readonly DiskOperation[], done: () => void) {
      if (left-- > 0) target.write(batch, done);
    },
  });
  const plan = planRecovery([target, other].map((one) => resultOf(readSurvivor(one))));
  const options = { disk, others: new Map([[2, other]]), random: makePrng(9), timeMs: 5 };
  try {
    resultOf(applyRecovery(plan, options));
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.message === 'the task waits for something') return false;
    throw thrown;
  }
}
