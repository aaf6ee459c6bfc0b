import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenCluster } from '@deltabase/testkit';
import { IGNORING_SINK } from '../support/watch-sink.js';

test('a node that is started with other members goes on with those of its data: there is no second cluster', () => {
  const tokens = new TokenCluster({ seed: 1 }).start();
  const client = tokens.client('c');
  client.send('a', 'append');
  tokens.settle();
  for (const id of tokens.cluster.ids) tokens.cluster.crash(id);
  tokens.cluster.startNode(1, [1]);
  tokens.run(10_000);
  const alone = tokens.cluster.engine(1);
  assert.deepEqual(new Set(alone.leaders()), new Set([0]), 'one of three elects nobody');
  assert.deepEqual(
    alone.members().places.map(({ node, reachable }) => [node, reachable]),
    [
      [1, true],
      [2, false],
      [3, false],
    ],
  );
  tokens.check();
});

test('a node made with other first members is refused by the others, which say so', () => {
  const lines: string[] = [];
  const tokens = new TokenCluster({ seed: 2, trace: (line) => void lines.push(line) });
  tokens.cluster.startNode(1, [1, 2]);
  for (const id of [2, 3]) tokens.cluster.startNode(id);
  tokens.run(10_000);
  const leads = tokens.cluster.engines().map((engine) => engine.leaders());
  assert.deepEqual(leads[0], [0, 0]);
  for (const lead of [...leads[1]!, ...leads[2]!]) assert.ok(lead === 2 || lead === 3);
  const refusals = lines.filter((line) => line.includes('peer-refused'));
  const refused = (id: number): number =>
    refusals.filter((line) => line.includes(`n${id} `)).length;
  assert.deepEqual([1, 2, 3].map(refused), [2, 1, 1]);
  for (const line of refusals) assert.match(line, /other first members/);
});

test('a leader whose disk hangs is relieved, and its messages take effect once', () => {
  const lines: string[] = [];
  const tokens = new TokenCluster({ seed: 3, trace: (line) => void lines.push(line) }).start();
  tokens.run(5000);
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  const engine = tokens.cluster.engine(leader);
  tokens.cluster.setDisk(leader, 'hung');
  const { simulation } = tokens.cluster;
  const hungMs = simulation.nowMs;
  client.send('a', 'append', leader);
  const other = tokens.cluster.engine(tokens.cluster.ids.find((id) => id !== leader)!);
  tokens.until(() => ![0, leader].includes(other.leaders()[1]!), 5000);
  const tookMs = simulation.nowMs - hungMs;
  assert.ok(tookMs < 3000, `${tookMs} ms`);
  assert.ok(engine.status().diskStalled);
  assert.ok(lines.some((line) => line.includes('error disk-stalled')));
  tokens.settle();
  // While its disk hangs nothing brings the leadership back, neither by itself nor by the others.
  const { term } = other.status().groups[1]!;
  tokens.run(60_000);
  assert.equal(other.status().groups[1]!.term, term);
  tokens.cluster.setDisk(leader, 'whole');
  tokens.until(() => !engine.status().diskStalled, 1000);
  tokens.check();
  assert.equal(tokens.valueAt(leader, 'a').seq, 1);
});

test('a leader whose disk hangs on reads alone is relieved, and what waited for it is done', () => {
  const limits = { idleEvictMs: 1000, flushIntervalMs: 500 };
  const tokens = new TokenCluster({ seed: 6, limits }).start();
  const client = tokens.client('c');
  client.send('a', 'append');
  tokens.settle();
  // Until the document has left memory.
  tokens.run(20_000);
  const leader = tokens.leaderOf('a');
  const engine = tokens.cluster.engine(leader);
  assert.equal(engine.status().counters.residentDocuments, 2, 'those of the system');
  tokens.cluster.setDisk(leader, 'reads-hang');
  const { simulation } = tokens.cluster;
  const hungMs = simulation.nowMs;
  client.send('a', 'append', leader);
  tokens.settle();
  const tookMs = simulation.nowMs - hungMs;
  assert.ok(tookMs < 3000, `${tookMs} ms`);
  assert.ok(engine.status().diskStalled);
  assert.notEqual(tokens.leaderOf('a'), leader);
  // It is not made a leader again while its disk hangs, though it writes what others lead.
  client.send('b', 'append');
  tokens.settle();
  tokens.run(30_000);
  const other = tokens.cluster.engine(tokens.leaderOf('a'));
  assert.ok(!other.leaders().includes(leader));
  tokens.cluster.setDisk(leader, 'whole');
  tokens.until(() => !engine.status().diskStalled, 1000);
  tokens.check();
  assert.equal(tokens.valueAt(leader, 'a').seq, 2);
});

test('the balancer does not hold a group up again and again for a node that is slow to take it', () => {
  const tokens = new TokenCluster({ seed: 4, groups: 3 }).start();
  tokens.run(20_000);
  const key = 'abcdefgh'.split('').find((name) => tokens.groupOf(name) === 2)!;
  const preferred = tokens.leaderOf(key);
  assert.equal(preferred, 3);
  // It comes back with a disk that hangs as soon as it writes something of its own, which idle groups do not ask for.
  tokens.cluster.crash(preferred);
  tokens.run(3000);
  tokens.cluster.startNode(preferred);
  tokens.until(() => tokens.cluster.isUp(preferred));
  tokens.run(200);
  tokens.cluster.setDisk(preferred, 'hung');
  const client = tokens.client('c');
  const { simulation } = tokens.cluster;
  const slow: number[] = [];
  for (const endMs = simulation.nowMs + 60_000; simulation.nowMs < endMs; tokens.run(20)) {
    const sentMs = simulation.nowMs;
    // It writes nothing, so that the node does not even fall behind.
    client.send(key, 'look', 1);
    tokens.settle();
    const waitedMs = simulation.nowMs - sentMs;
    if (waitedMs > 100) slow.push(waitedMs);
  }
  assert.equal(slow.length, 1, `waited ${slow.join(', ')} ms`);
  assert.ok(slow[0]! < 1000, `waited ${slow[0]} ms`);
  tokens.check();
});

test('a node that drains under steady reads hands everything over at once and gets nothing back', () => {
  const tokens = new TokenCluster({ seed: 5, groups: 6 }).start();
  tokens.run(20_000);
  const drained = 2;
  const { simulation } = tokens.cluster;
  const engine = tokens.cluster.engine(drained);
  const others = tokens.cluster.ids.filter((id) => id !== drained);
  let isDone = false;
  let refused = 0;
  // Each answer is followed by the next read, as a busy client does.
  const read = (count: number): void => {
    if (isDone || count > 500) return;
    const request = { space: 'tokens', key: `k${count}`, pointer: '', atSeq: undefined } as const;
    const rest = { mode: { kind: 'linearizable' } as const, expiresMs: simulation.nowMs + 5000 };
    engine.read({ ...request, ...rest }, (result) => {
      if (result.kind === 'failed' && result.code === 'UNAVAILABLE') refused++;
      simulation.schedule(5, () => read(count + 1));
    });
  };
  for (let reader = 0; reader < 20; reader++) read(0);
  const startMs = simulation.nowMs;
  engine.drain(() => {
    isDone = true;
  });
  tokens.until(() => isDone, 11_000);
  const tookMs = simulation.nowMs - startMs;
  assert.ok(tookMs < 1500, `${tookMs} ms`);
  assert.ok(refused > 0 && engine.status().draining);
  // It takes its time to go: nobody gives it a group meanwhile.
  for (let waited = 0; waited < 20_000; waited += 100) {
    tokens.run(100);
    for (const id of others) {
      const { groups } = tokens.cluster.engine(id).status();
      for (const group of groups) assert.ok(![group.lead, group.leadTransferee].includes(drained));
    }
  }
  const ended: string[] = [];
  const end = ({ code }: { code: string }): void => void ended.push(code);
  const sink = { ...IGNORING_SINK, end };
  engine.watch({ space: 'tokens', key: 'a', afterSeq: undefined }, sink);
  tokens.run(10);
  assert.deepEqual(ended, ['UNAVAILABLE']);
  tokens.cluster.stop(drained);
  tokens.check();
});

test('a leader whose clock jumps costs no session anything, neither then nor later', () => {
  const tokens = new TokenCluster({ seed: 6 }).start();
  const before = tokens.client('before');
  before.send('a', 'append');
  tokens.settle();
  for (const wrongMs of [7_200_000, -7_200_000]) {
    const leader = tokens.leaderOf('a');
    tokens.cluster.setWallOffset(leader, wrongMs);
    before.send('a', 'append', leader);
    tokens.settle();
    tokens.cluster.setWallOffset(leader, 0);
    tokens.cluster.crash(leader);
    const later = tokens.client(`after${wrongMs}`);
    later.send('a', 'append');
    before.send('a', 'append');
    tokens.settle();
    tokens.cluster.startNode(leader);
  }
  tokens.check();
  assert.equal(tokens.valueAt(1, 'a').seq, 7);
});

test('a follower tells of its log at every moment of taking a snapshot, and never too much', () => {
  // Entries are read from the disk, from which the snapshot is about to remove them.
  const kept = { trailingLogBytesMax: 9000, heldLogBytesMax: 9000, logCacheBytesMax: 100 };
  const limits = { ...kept, flushIntervalMs: 200 };
  const tokens = new TokenCluster({ seed: 13, limits }).start();
  const client = tokens.client('c');
  const [follower] = tokens.followersOf('a');
  const engine = tokens.cluster.engine(follower!);
  for (let count = 0; count < 10; count++) client.send('a', 'append_much');
  tokens.settle();
  tokens.run(300);
  tokens.cluster.setLinks(follower!, 'cut');
  const other = tokens.cluster.ids.find((id) => id !== follower)!;
  for (let round = 0; round < 20; round++) {
    for (let count = 0; count < 10; count++) client.send('a', 'append_much', other);
    tokens.settle();
    tokens.run(200);
  }
  const { commit, firstIndex } = tokens.cluster.engine(other).status().groups[1]!;
  const { lastIndex } = engine.status().groups[1]!;
  assert.ok(firstIndex > lastIndex, 'only a snapshot brings it up to date');
  tokens.cluster.weather.writeMsMax = 20;
  tokens.cluster.setLinks(follower!, 'whole');
  const known = new Set<number>();
  while (engine.status().groups[1]!.applied < commit) {
    engine.readLog(1, 1, (entries, committed) => {
      for (const { index } of entries) if (index <= committed) known.add(index);
    });
    tokens.run(0.02);
  }
  assert.ok(known.size > 0 && Math.max(...known) <= commit);
  tokens.check();
});

test('a leader without room on its disk is relieved; when all are low, messages are refused and reads go on', () => {
  const lines: string[] = [];
  const limits = { diskFreeBytesMin: 10_000 };
  const tokens = new TokenCluster({
    seed: 7,
    limits,
    trace: (line) => void lines.push(line),
  }).start();
  const { cluster } = tokens;
  const client = tokens.client('c');
  client.send('a', 'append');
  tokens.settle();
  const first = tokens.leaderOf('a');
  cluster.setFreeBytes(first, 9999);
  tokens.until(() => ![0, first].includes(cluster.engine(first).leaders()[1]!), 3000);
  tokens.run(30_000);
  const second = tokens.leaderOf('a');
  assert.notEqual(second, first, 'nobody gives it back to a node without room');
  client.send('a', 'append', first);
  tokens.settle();
  for (const id of cluster.ids) cluster.setFreeBytes(id, 9999);
  tokens.run(1000);
  const { lastIndex } = cluster.engine(1).status().groups[1]!;
  const refused = client.send('a', 'append');
  tokens.run(5000);
  assert.equal(refused.result, undefined);
  const { groups, diskLow } = cluster.engine(1).status();
  assert.ok(diskLow);
  assert.equal(groups[1]!.lastIndex, lastIndex, 'nothing was proposed');
  for (const id of cluster.ids) assert.equal(tokens.valueAt(id, 'a').seq, 2);
  // A leader can still be elected.
  const leader = tokens.leaderOf('a');
  cluster.crash(leader);
  tokens.run(3000);
  assert.notEqual(tokens.leaderOf('a'), leader);
  for (const id of cluster.ids) cluster.setFreeBytes(id, 20_000);
  tokens.settle();
  const said = lines.filter((line) => line.includes(`n${first} error disk-low`));
  assert.equal(said.length, 1);
  tokens.check();
  assert.equal(tokens.valueAt(1, 'a').seq, 3);
});

test('a leader whose disk hangs runs nothing more than its queue may hold', () => {
  const tokens = new TokenCluster({ seed: 9, limits: { writeQueueBytesMax: 20_000 } }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  client.send('a', 'append_much', leader); // It is in memory from now on.
  tokens.settle();
  const { counters } = tokens.cluster.engine(leader).status();
  tokens.cluster.setDisk(leader, 'hung');
  // The followers make a quorum without it, and it has not noticed yet that it hangs.
  for (let round = 0; round < 100; round++) {
    client.send('a', 'append_much', leader);
    tokens.run(5);
  }
  const now = tokens.cluster.engine(leader).status().counters;
  assert.ok(now.messagesExecuted - counters.messagesExecuted > 20);
  assert.ok(now.diskBytesWaiting < 30_000, `${now.diskBytesWaiting} bytes wait`);
  tokens.check();
});

test('a follower whose disk hangs, or has no room at all, holds no more than its queue may', () => {
  const limits = { writeQueueBytesMax: 20_000, diskFreeBytesMin: 10_000 };
  for (const fault of ['hangs', 'is full'] as const) {
    const tokens = new TokenCluster({ seed: 8, limits }).start();
    const { cluster } = tokens;
    const client = tokens.client('c');
    const [follower] = tokens.followersOf('a');
    const engine = cluster.engine(follower!);
    if (fault === 'hangs') cluster.setDisk(follower!, 'hung');
    else cluster.setFreeBytes(follower!, 4000);
    tokens.run(500);
    const before = engine.status().counters.diskBytesWritten;
    for (let round = 0; round < 100; round++) {
      client.send('a', 'append_much', tokens.leaderOf('a'));
      tokens.settle();
    }
    const { diskBytesWaiting, diskBytesWritten } = engine.status().counters;
    assert.ok(diskBytesWaiting < 30_000, `${diskBytesWaiting} bytes wait`);
    assert.ok(diskBytesWritten - before < 30_000, `${diskBytesWritten - before} bytes written`);
    tokens.check();
    assert.equal(tokens.valueAt(follower!, 'a').seq, 100);
  }
});
