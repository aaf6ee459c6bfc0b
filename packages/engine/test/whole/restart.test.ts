import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredNode } from '@deltabase/engine';
import { inspectRows, ShownLogWitness, SortedMap, TOKENS, TokenCluster } from '@deltabase/testkit';
import { groupKey } from '../../src/storage/keys.js';
import { IGNORING_SINK } from '../support/watch-sink.js';

const SMALL = {
  flushIntervalMs: 80,
  flushBytesMax: 1500,
  trailingLogBytesMax: 300,
  chunkBytesMax: 400,
  snapshotDeltaBytesMin: 600,
  pieceBytesMax: 64,
  logCacheBytesMax: 500,
};

function stored(tokens: TokenCluster, id: number): StoredNode {
  return inspectRows(tokens.cluster.rows(id));
}

test('a node recovers from any moment of its life: flushing, compacting, taking snapshots', () => {
  const tokens = new TokenCluster({ seed: 1, limits: SMALL }).start();
  const client = tokens.client('c');
  const [first] = tokens.followersOf('a');
  const id = first!;
  // Each copy of the disk is a crash at that moment; some fall between any two of the node's writes.
  const moments: SortedMap[] = [];
  for (let round = 0; round < 60; round++) {
    for (let count = 0; count < 3; count++) client.send(`k${round % 4}`, 'append_much');
    tokens.run(7);
    moments.push(tokens.cluster.rows(id).copy());
  }
  tokens.settle();
  tokens.run(300);
  const { firstIndex, flushedIndex } = stored(tokens, id).stored[1]!;
  assert.ok(
    firstIndex > 1 && flushedIndex >= firstIndex,
    `the log was compacted: from ${firstIndex}, flushed to ${flushedIndex}`,
  );
  for (const rows of moments.filter((_, at) => at % 3 === 0)) {
    const copy = new TokenCluster({ seed: 2, limits: SMALL });
    for (const each of copy.cluster.ids) {
      if (each !== id) copy.cluster.replaceRows(each, tokens.cluster.rows(each).copy());
    }
    copy.cluster.replaceRows(id, rows);
    copy.cluster.start();
    // The others hold all of it, so this one has to come after them.
    const last = copy.valueAt(copy.leaderOf('k0'), 'k0').seq;
    assert.equal(last, 45);
    copy.until(() => copy.read(id, 'k0', { mode: { kind: 'stale' } }).kind === 'value');
    for (const key of ['k0', 'k1', 'k2', 'k3']) {
      const whole = copy.valueAt(copy.leaderOf(key), key);
      const mine = copy.valueAt(id, key);
      assert.deepEqual([mine.seq, mine.hash], [whole.seq, whole.hash], key);
    }
  }
});

test('all nodes restart from disk at every stage, and nothing that was answered is lost', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const tokens = new TokenCluster({ seed, limits: SMALL }).start();
    const client = tokens.client('c');
    for (let round = 0; round < 6; round++) {
      for (let count = 0; count < 8; count++) client.send(`k${count % 3}`, 'append_much');
      tokens.run(13 * seed + 29 * round);
      for (const id of tokens.cluster.ids) {
        if (tokens.cluster.isRunning(id)) tokens.cluster.crash(id, seed % 2 ? 'kept' : 'lost');
        tokens.cluster.startNode(id);
      }
    }
    tokens.check();
  }
});

test('what is flushed leaves the log, what is not stays in it, and both make the document', () => {
  const limits = { ...SMALL, flushIntervalMs: 1_000_000, flushBytesMax: 4000 };
  const tokens = new TokenCluster({ seed: 3, limits }).start();
  const client = tokens.client('c');
  for (let count = 0; count < 44; count++) {
    client.send('a', 'append_much');
    tokens.settle();
  }
  tokens.run(500);
  const { flushedIndex, lastIndex } = stored(tokens, 1).stored[1]!;
  assert.ok(flushedIndex > 1 && flushedIndex < lastIndex, 'a part of it is flushed');
  for (const id of tokens.cluster.ids) tokens.cluster.crash(id);
  tokens.check();
  assert.equal(tokens.valueAt(1, 'a').seq, 44);
});

test('a node that restarts behind a compacted log knows which version of a machine is active', () => {
  const tokens = new TokenCluster({
    seed: 10,
    limits: { ...SMALL, trailingLogBytesMax: 0 },
  }).start();
  const client = tokens.client('c');
  for (let count = 0; count < 20; count++) client.send('a', 'append_much');
  tokens.settle();
  tokens.run(500);
  const [follower] = tokens.followersOf('a');
  const id = follower!;
  assert.ok(stored(tokens, id).stored[1]!.firstIndex > 2, 'the activation is not in the log');
  tokens.cluster.crash(id);
  tokens.cluster.startNode(id);
  tokens.until(() => tokens.cluster.isUp(id));
  let state = 0;
  const said: string[] = [];
  const end = ({ code }: { code: string }): void => void said.push(code);
  const sink = { ...IGNORING_SINK, state: (seq: number) => (state = seq), end };
  tokens.cluster.engine(id).watch({ space: TOKENS, key: 'a', afterSeq: undefined }, sink);
  tokens.until(() => state > 0 || said.length > 0);
  assert.deepEqual([state, said], [20, []]);
});

test('a follower that is behind by less than the log goes on from there', () => {
  const tokens = new TokenCluster({ seed: 4 }).start();
  const client = tokens.client('c');
  const [follower] = tokens.followersOf('a');
  tokens.cluster.crash(follower!);
  for (let count = 0; count < 20; count++) client.send('a', 'append');
  tokens.settle();
  tokens.check();
  assert.equal(stored(tokens, follower!).stored[1]!.generation, 1, 'no snapshot was needed');
});

test('a document that is written cold is in memory at its leader only, and evicted there', () => {
  const limits = { flushIntervalMs: 50, idleEvictMs: 500 };
  const tokens = new TokenCluster({ seed: 5, limits }).start();
  const client = tokens.client('c');
  for (let count = 0; count < 50; count++) client.send(`k${count}`, 'append');
  tokens.settle();
  const resident = (id: number): number =>
    tokens.cluster.engine(id).status().counters.residentDocuments;
  const leader = tokens.leaderOf('k0');
  const [follower] = tokens.followersOf('k0');
  assert.ok(resident(leader) >= 50);
  assert.ok(resident(follower!) <= 3, 'members, the list of machines and its module, at most');
  tokens.run(12_000);
  assert.ok(resident(leader) <= 2);
  assert.ok(tokens.cluster.engine(leader).status().counters.residentBytes < 5000);
  for (let count = 0; count < 50; count++) client.send(`k${count}`, 'append');
  tokens.settle();
  assert.equal(tokens.valueAt(1, 'k7').seq, 2);
  tokens.check();
});

test('with too much in memory, what is not in use leaves at once', () => {
  const limits = { flushIntervalMs: 50, residentBytesMax: 10_000 };
  const tokens = new TokenCluster({ seed: 6, limits }).start();
  const client = tokens.client('c');
  for (let count = 0; count < 100; count++) client.send(`k${count}`, 'append_much');
  tokens.settle();
  tokens.run(12_000);
  const leader = tokens.leaderOf('k0');
  assert.ok(tokens.cluster.engine(leader).status().counters.residentBytes <= 10_000);
  tokens.check();
});

test('damage that shows only when a document is read ends the node: it never serves it (StateIsFold)', () => {
  const tokens = new TokenCluster({ seed: 7, limits: SMALL }).start();
  const client = tokens.client('c');
  for (let count = 0; count < 30; count++) client.send('a', 'append_much');
  tokens.settle();
  tokens.run(500);
  const [follower] = tokens.followersOf('a');
  const id = follower!;
  tokens.cluster.crash(id);
  const rows = tokens.cluster.rows(id).copy();
  const chunks = rows.rows().filter(({ key }) => key[0] === 0x52 && key[key.length - 9] === 1);
  assert.ok(chunks.length > 4);
  rows.delete(chunks.at(-2)!.key);
  tokens.cluster.replaceRows(id, rows);
  tokens.cluster.startNode(id);
  tokens.until(() => tokens.cluster.isUp(id));
  assert.throws(
    () => tokens.read(id, 'a', { mode: { kind: 'stale' } }),
    (thrown: { code: string }) => thrown.code === 'DATA_CORRUPT',
  );
});

test('a node whose disk lost a row does not start, and the others do not miss it', () => {
  const tokens = new TokenCluster({ seed: 8 }).start();
  const client = tokens.client('c');
  client.send('a', 'append');
  tokens.settle();
  const [follower] = tokens.followersOf('a');
  tokens.cluster.crash(follower!);
  const rows = tokens.cluster.rows(follower!).copy();
  rows.delete(groupKey(1));
  tokens.cluster.replaceRows(follower!, rows);
  tokens.cluster.startNode(follower!);
  assert.throws(() => tokens.run(10), { code: 'DATA_CORRUPT' });
  tokens.cluster.crash(follower!);
  client.send('a', 'append');
  tokens.settle();
  assert.equal(tokens.valueAt(tokens.leaderOf('a'), 'a').seq, 2);
});

test('a node that lost its disk is not listened to under its old id (pitfall 7)', () => {
  const tokens = new TokenCluster({ seed: 9 }).start();
  const client = tokens.client('c');
  const [lost, whole] = tokens.followersOf('a');
  const leader = tokens.leaderOf('a');
  client.send('a', 'append', leader);
  tokens.settle();
  tokens.cluster.crash(lost!);
  tokens.cluster.replaceRows(lost!, new SortedMap());
  tokens.cluster.startNode(lost!);
  tokens.until(() => tokens.cluster.isUp(lost!));
  // With the other follower gone there is no quorum: the wiped node must not make one.
  tokens.cluster.crash(whole!);
  const sending = client.send('a', 'append', leader);
  tokens.run(3000);
  assert.equal(sending.result, undefined);
  assert.notEqual(tokens.cluster.engine(lost!).leaderOf(TOKENS, 'a'), lost);
  tokens.cluster.startNode(whole!);
  tokens.settle();
  const { json } = tokens.valueAt(leader, 'a');
  assert.deepEqual(json, ['c-1', 'c-2']);
});

test('no entry is given as committed that another one is about to replace (CommittedOnly)', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const tokens = new TokenCluster({ seed }).start();
    new ShownLogWitness(tokens.cluster).lookEvery(2);
    const client = tokens.client('c');
    const old = tokens.leaderOf('a');
    tokens.cluster.setLinks(old, 'cut');
    for (let count = 0; count < 5; count++) {
      client.send('a', 'append', old);
      tokens.run(5);
    }
    const [other] = tokens.cluster.ids.filter((id) => id !== old);
    tokens.run(2500);
    for (let count = 0; count < 5; count++) client.send('a', 'append', other);
    tokens.run(200);
    // The new entries are known to be committed long before they are on this disk.
    tokens.cluster.weather.writeMsMax = 300;
    tokens.cluster.setLinks(old, 'whole');
    tokens.run(2000);
    tokens.check();
  }
});
