import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenCluster } from '@deltabase/testkit';
import { documentPrefix, piecesRange, placeOfPiece } from '../../src/storage/keys.js';

interface Cost {
  readonly disk: number;
  readonly network: number;
}

/** Bytes that all nodes write and send for ten messages to a document of `size` tokens. */
function costAt(size: number): Cost {
  const limits = { flushIntervalMs: 1_000_000 };
  const tokens = new TokenCluster({ seed: 1, limits }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  for (let sent = 0; sent < size; sent++) client.send('a', 'append', leader);
  tokens.settle();
  tokens.run(1000);
  const before = totals(tokens);
  for (let sent = 0; sent < 10; sent++) {
    client.send('a', 'append', leader);
    tokens.settle();
  }
  const after = totals(tokens);
  return { disk: after.disk - before.disk, network: after.network - before.network };
}

function totals(tokens: TokenCluster): Cost {
  const all = tokens.cluster.engines().map((engine) => engine.status().counters);
  return {
    disk: all.reduce((sum, { diskBytesWritten }) => sum + diskBytesWritten, 0),
    network: all.reduce((sum, { peerBytesSent }) => sum + peerBytesSent, 0),
  };
}

test('a message costs what it emits on disk and network, whatever the document weighs (CostIsTheDelta)', () => {
  const [small, large] = [costAt(10), costAt(3000)];
  assert.ok(small.disk > 1000 && small.network > 1000);
  // A few bytes more are for the larger numbers.
  assert.ok(large.disk < small.disk * 1.1, `${large.disk} and ${small.disk} bytes on disk`);
  assert.ok(
    large.network < small.network * 1.2,
    `${large.network} and ${small.network} bytes sent`,
  );
});

test('snapshots of a document cost a part of its deltas, however often it is flushed (CostIsTheDelta)', () => {
  const limits = { flushIntervalMs: 50, snapshotDeltaBytesMin: 100, pieceBytesMax: 1000 };
  const tokens = new TokenCluster({ seed: 2, limits }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  for (let sent = 0; sent < 3000; sent++) client.send('a', 'append', leader);
  tokens.settle();
  tokens.run(1000);
  const before = totals(tokens).disk;
  for (let sent = 0; sent < 100; sent++) {
    client.send('a', 'append', leader);
    tokens.run(50);
  }
  tokens.settle();
  tokens.run(1000);
  const disk = totals(tokens).disk - before;
  const { value } = tokens.valueAt(leader, 'a');
  // It was flushed some twenty times: a snapshot each time would be as many times its size, on each node.
  const snapshots = value.length * tokens.cluster.ids.length;
  assert.ok(disk < snapshots * 5, `${disk} bytes, one snapshot on each node takes ${snapshots}`);
  tokens.check();
});

test('a snapshot waits for deltas of several times its size (CostIsTheDelta)', () => {
  const few = snapshotsTaken(8);
  const many = snapshotsTaken(1);
  assert.ok(few > 0 && many > 2 * few, `${many} and ${few} snapshots`);
});

/** Snapshots of a document that its leader has taken while 2000 tokens were appended. */
function snapshotsTaken(snapshotDeltaFactor: number): number {
  const limits = { flushIntervalMs: 50, snapshotDeltaBytesMin: 100, snapshotDeltaFactor };
  const tokens = new TokenCluster({ seed: 3, limits }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  for (let sent = 0; sent < 2000; sent++) {
    client.send('a', 'append', leader);
    if (sent % 20 === 0) tokens.run(60);
  }
  tokens.settle();
  tokens.run(1000);
  tokens.check();
  const prefix = documentPrefix(tokens.groupOf('a'), 1, 'tokens', 'a');
  const { start, end } = piecesRange(prefix, 0, Number.MAX_SAFE_INTEGER);
  const pieces = tokens.cluster.rows(leader).slice(start, end);
  return new Set(pieces.map(({ key }) => placeOfPiece(key).seq)).size;
}
