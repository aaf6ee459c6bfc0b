import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk, TOKENS, TokenCluster } from '@deltabase/testkit';
import { inspectHistory, inspectLog, inspectNode } from '../../src/storage/inspect.js';
import { entryKey } from '../../src/storage/keys.js';
import { del, promptDisk, resultOf } from '../support/disk.js';

/** A node's disk after some messages, of which the last are in the log only. */
function stoppedNode(): MemoryDisk {
  return stopped(runningNode());
}

function runningNode(): TokenCluster {
  const limits = { flushIntervalMs: 1_000_000, flushBytesMax: 3000, trailingLogBytesMax: 500 };
  const tokens = new TokenCluster({ seed: 1, limits }).start();
  const client = tokens.client('c');
  for (let count = 0; count < 30; count++) {
    client.send('a', 'append_much');
    tokens.settle();
  }
  tokens.run(500);
  return tokens;
}

function stopped(tokens: TokenCluster): MemoryDisk {
  return new MemoryDisk({ later: (_kind, run) => run() }, tokens.cluster.rows(1));
}

test('a stopped node tells who it is and how far its groups are', () => {
  const node = resultOf(inspectNode(stoppedNode()));
  assert.deepEqual([node.cluster, node.node, node.groups, node.founders], ['sim', 1, 1, [1, 2, 3]]);
  const group = node.stored[1]!;
  assert.ok(group.firstIndex > 1 && group.flushedIndex >= group.firstIndex);
  assert.ok(group.lastIndex > group.flushedIndex);
  assert.throws(() => resultOf(inspectNode(promptDisk())), { code: 'INVALID_ARGUMENT' });
});

test('its logs begin and end where they did while it ran', () => {
  const tokens = runningNode();
  const disk = stopped(tokens);
  const ran = tokens.cluster.engine(1)!.status().groups;
  assert.ok(
    ran.some(({ firstIndex }) => firstIndex > 1),
    'a log was compacted',
  );
  assert.deepEqual(
    resultOf(inspectNode(disk)).stored.map(({ firstIndex, lastIndex }) => [firstIndex, lastIndex]),
    ran.map(({ firstIndex, lastIndex }) => [firstIndex, lastIndex]),
  );
  for (const [group, { firstIndex }] of ran.entries()) {
    const [oldest] = resultOf(inspectLog(disk, group, firstIndex - 1));
    assert.equal(oldest!.index, firstIndex, 'what stands in for its term is not an entry any more');
  }
});

test('a log that gave way to a snapshot begins behind it and is empty', () => {
  const disk = stoppedNode();
  const { flushedIndex, lastIndex } = resultOf(inspectNode(disk)).stored[1]!;
  for (let index = 0; index <= lastIndex; index++) disk.write([del(entryKey(1, index))], () => {});
  const group = resultOf(inspectNode(disk)).stored[1]!;
  assert.deepEqual([group.firstIndex, group.lastIndex], [flushedIndex + 1, flushedIndex]);
  assert.deepEqual(resultOf(inspectLog(disk, 1, 1)), []);
});

test('its log is given in order, each entry with what it says', () => {
  const disk = stoppedNode();
  const { firstIndex, lastIndex } = resultOf(inspectNode(disk)).stored[1]!;
  const entries = resultOf(inspectLog(disk, 1, 1));
  assert.deepEqual(
    entries.map(({ index }) => index),
    Array.from({ length: lastIndex - firstIndex + 1 }, (_, at) => firstIndex + at),
  );
  const system = resultOf(inspectLog(disk, 0, 1));
  const [first, ...others] = system.map(({ kind }) => kind);
  assert.equal(first, 'empty');
  assert.deepEqual(new Set(others), new Set(['deltas']));
  const channels = system.flatMap(({ records }) => records.map(({ channel }) => channel));
  for (const channel of ['found', 'put_chunk', 'deploy']) assert.ok(channels.includes(channel));
  assert.throws(() => resultOf(inspectLog(disk, 2, 1)), { code: 'INVALID_ARGUMENT' });
});

test('a document’s history is whole, from its chunks and from the log behind them (StateIsFold)', () => {
  const disk = stoppedNode();
  const seqs: number[] = [];
  for (let fromSeq = 1; ; fromSeq = seqs.at(-1)! + 1) {
    const page = resultOf(inspectHistory(disk, { space: TOKENS, key: 'a', fromSeq }));
    if (page.length === 0) break;
    seqs.push(...page.map(({ record }) => record.seq));
  }
  assert.deepEqual(
    seqs,
    Array.from({ length: 30 }, (_, at) => at + 1),
  );
});
