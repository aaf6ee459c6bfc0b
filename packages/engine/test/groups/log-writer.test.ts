import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppendWork } from 'raft-ts';
import { type Installation, LogWriter } from '../../src/groups/log-writer.js';
import type { DiskOperation } from '../../src/ports.js';
import type { LogStore } from '../../src/storage/log-store.js';
import { decodeHardState } from '../../src/storage/rows.js';
import { bytes } from '../support/bytes.js';
import { CONF, entry } from '../support/samples.js';

function setUp() {
  const writes: Array<{ operations: readonly DiskOperation[]; done: () => void }> = [];
  const told: AppendWork[] = [];
  const log = {
    appendOperations: (entries: unknown[]) => entries.map(() => ({ kind: 'del', key: bytes('e') })),
    appended() {},
    restored() {},
  } as unknown as LogStore;
  const counters = { logBytesWritten: 0 };
  const turns = { asked: 0 };
  const writer = new LogWriter({
    group: 1,
    log,
    counters,
    write: (operations, done) => void writes.push({ operations, done }),
    acknowledge: (work) => void told.push(work),
    written: () => void turns.asked++,
  });
  return { writer, writes, told, turns, log, counters };
}

function work(changes: Partial<AppendWork>): AppendWork {
  return { entries: [], mustSync: true, responses: [], ...changes } as unknown as AppendWork;
}

function hardStateIn(operations: readonly DiskOperation[]) {
  const last = operations.at(-1);
  return last?.kind === 'put' ? decodeHardState(last.value) : undefined;
}

test('Raft is told of a write once it is durable, and in the order in which it asked', () => {
  const { writer, writes, told } = setUp();
  const [first, second] = [work({ entries: [entry(1, 1)] }), work({ entries: [entry(2, 1)] })];
  writer.append(first, undefined);
  writer.append(second, undefined);
  assert.equal(writes.length, 2);
  writes[1]!.done();
  assert.deepEqual(told, []);
  writes[0]!.done();
  assert.deepEqual(told, [first, second]);
});

test('a lone commit index costs no write, waits for those before it, and goes with the next', () => {
  const { writer, writes, told } = setUp();
  const hardState = { term: 2, vote: 1, commit: 7 };
  const lazy = work({ mustSync: false, hardState });
  writer.append(lazy, undefined);
  assert.deepEqual([writes.length, told], [0, [lazy]]);
  const synced = work({ entries: [entry(1, 1)] });
  const lazier = work({ mustSync: false });
  writer.append(synced, undefined);
  writer.append(lazier, undefined);
  assert.deepEqual(told, [lazy]);
  assert.deepEqual(hardStateIn(writes[0]!.operations), hardState);
  writes[0]!.done();
  assert.deepEqual(told, [lazy, synced, lazier]);
  writer.append(work({ entries: [entry(2, 1)] }), undefined);
  assert.equal(hardStateIn(writes[1]!.operations), undefined);
});

test('a turn is asked for once a write ends, and not for what the turn itself has told', () => {
  const { writer, writes, turns } = setUp();
  writer.append(work({ mustSync: false }), undefined);
  assert.equal(turns.asked, 0);
  writer.append(work({ entries: [entry(1, 1)] }), undefined);
  writer.append(work({ entries: [entry(2, 1)] }), undefined);
  writer.append(work({ mustSync: false }), undefined);
  writes[1]!.done();
  assert.equal(turns.asked, 0, 'nothing was told yet');
  writes[0]!.done();
  assert.equal(turns.asked, 1);
});

test('a newer term or vote goes in place of a commit index that waits, never the other way (pitfall 25)', () => {
  const { writer, writes } = setUp();
  const newer = { term: 3, vote: 2, commit: 7 };
  writer.append(work({ mustSync: false, hardState: { term: 2, vote: 1, commit: 7 } }), undefined);
  writer.append(work({ hardState: newer }), undefined);
  assert.deepEqual(hardStateIn(writes[0]!.operations), newer);
});

test('a snapshot counts once it is durable and loaded, and what came after it waits', () => {
  const { writer, writes, told } = setUp();
  let loaded = (): void => {};
  const installation: Installation = {
    operations: [{ kind: 'del', key: bytes('old') }],
    loaded: (done) => {
      loaded = done;
    },
  };
  const snapshot = { index: 9, term: 2, confState: CONF, data: bytes('') };
  const install = work({ snapshot, hardState: { term: 2, vote: 0, commit: 9 } });
  const after = work({ entries: [entry(10, 2)] });
  writer.append(install, installation);
  writer.append(after, undefined);
  assert.equal(writes[0]!.operations.length, 2);
  writes[0]!.done();
  writes[1]!.done();
  assert.deepEqual(told, []);
  loaded();
  assert.deepEqual(told, [install, after]);
});

test('bytes of entries are counted once they are durable, and nothing else is', () => {
  const { writer, writes, log, counters } = setUp();
  log.appendOperations = () => [
    { kind: 'put', key: bytes('key'), value: bytes('value') },
    { kind: 'del', key: bytes('an entry that is replaced') },
  ];
  const hardState = { term: 2, vote: 1, commit: 7 };
  writer.append(work({ entries: [entry(1, 1)], hardState }), undefined);
  assert.equal(writes[0]!.operations.length, 3);
  assert.equal(counters.logBytesWritten, 0);
  writes[0]!.done();
  assert.equal(counters.logBytesWritten, 'key'.length + 'value'.length);
});
