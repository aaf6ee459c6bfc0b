import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectNode, runTask } from '@deltabase/engine';
import { MemoryDisk, type SimulatedClient, TokenCluster } from '@deltabase/testkit';
import { IGNORING_SINK } from '../support/watch-sink.js';

/** Logs are kept for nobody, so that whoever was away for a while needs a snapshot. */
const LIMITS = {
  flushIntervalMs: 60,
  trailingLogBytesMax: 0,
  heldLogBytesMax: 0,
  snapshotChunkBytesMax: 400,
  snapshotDeltaBytesMin: 800,
  pieceBytesMax: 100,
  chunkBytesMax: 500,
  logCacheBytesMax: 500,
};

function generationsOf(tokens: TokenCluster, id: number): number[] {
  const disk = new MemoryDisk({ later: (_kind, run) => run() }, tokens.cluster.rows(id));
  let generations: number[] = [];
  runTask(
    inspectNode(disk),
    (step) => step(),
    ({ stored }) => {
      generations = stored.map(({ generation }) => generation);
    },
    (thrown) => {
      throw thrown;
    },
  );
  return generations;
}

/** Rows of generations that are not in use: what attempts left behind. */
function leftOver(tokens: TokenCluster, id: number): number {
  const generations = generationsOf(tokens, id);
  const view = (key: Uint8Array) => new DataView(key.buffer, key.byteOffset);
  return tokens.cluster
    .rows(id)
    .rows()
    .filter(({ key }) => key[0] === 0x52)
    .filter(({ key }) => view(key).getUint32(5) !== generations[view(key).getUint32(1)]).length;
}

/** A cluster whose follower `away` misses much more than the log holds. */
function withFollowerBehind(seed: number, { messages = 60, batchBytesMax = 10_000 } = {}) {
  const tokens = new TokenCluster({ seed, limits: { ...LIMITS, batchBytesMax } }).start();
  const client = tokens.client('c');
  const [away, other] = tokens.followersOf('a');
  for (let count = 0; count < 5; count++) client.send('a', 'append');
  tokens.settle();
  tokens.cluster.crash(away!);
  for (let count = 0; count < messages; count++) {
    client.send(`k${count % 4}`, 'append_much');
    client.send('a', 'append');
    if (count % 10 === 9) tokens.run(100);
  }
  tokens.settle();
  tokens.run(500);
  return { tokens, client, away: away!, other: other!, leader: tokens.leaderOf('a') };
}

/** Appends to "a" through the other nodes while `away` is cut off. */
function appendWithout(
  away: number,
  { tokens, client, count }: { tokens: TokenCluster; client: SimulatedClient; count: number },
): void {
  const through = tokens.cluster.ids.find((id) => id !== away);
  for (let sent = 1; sent <= count; sent++) {
    client.send('a', 'append_much', through);
    if (sent % 10 === 0) tokens.run(100);
  }
  tokens.until(() => client.openCount === 0);
}

test('a follower that is too far behind for the log fetches the rows and goes on from there', () => {
  const { tokens, client, away } = withFollowerBehind(1);
  tokens.cluster.startNode(away);
  for (let count = 0; count < 10; count++) client.send('a', 'append');
  tokens.check();
  assert.ok(generationsOf(tokens, away)[1]! > 1, 'it took a snapshot');
  tokens.run(2000);
  assert.equal(leftOver(tokens, away), 0);
  // What it took is what it restarts from.
  tokens.cluster.crash(away);
  tokens.check();
});

test('the log goes while all are there, and stays for one that is not, whoever leads when it is back', () => {
  const kept = { absentLogBytesMax: 1_000_000, heldLogBytesMax: 2_000_000 };
  const tokens = new TokenCluster({ seed: 5, limits: { ...LIMITS, ...kept } }).start();
  const client = tokens.client('c');
  const firstIndexOf = (id: number): number =>
    tokens.cluster.engine(id).status().groups[1]!.firstIndex;
  const append = (count: number, through: number): void => {
    for (let sent = 1; sent <= count; sent++) {
      client.send('a', 'append_much', through);
      if (sent % 10 === 0) tokens.run(100);
    }
    tokens.until(() => client.openCount === 0);
    tokens.run(500);
  };
  const leader = tokens.leaderOf('a');
  append(50, leader);
  const [away, other] = tokens.followersOf('a');
  for (const id of tokens.cluster.ids) assert.ok(firstIndexOf(id) > 1, `node ${id} let go of log`);
  tokens.cluster.crash(away!);
  // It is missed after a while.
  tokens.run(3000);
  const before = [leader, other!].map(firstIndexOf);
  append(50, leader);
  assert.deepEqual([leader, other!].map(firstIndexOf), before);
  // One that knows nothing of the missing one leads next.
  tokens.cluster.crash(leader);
  tokens.cluster.startNode(away!);
  tokens.until(() => [away!, other!].includes(tokens.cluster.engine(other!).leaders()[1]!), 10_000);
  append(10, other!);
  tokens.cluster.startNode(leader);
  tokens.check();
  assert.deepEqual(
    tokens.cluster.ids.map((id) => generationsOf(tokens, id)[1]),
    [1, 1, 1],
    'nobody needed a snapshot',
  );
  // Nothing more is written, and the group goes to sleep.
  tokens.run(20_000);
  for (const id of tokens.cluster.ids) {
    assert.ok(firstIndexOf(id) > Math.max(...before), `node ${id} lets go of log again`);
  }
});

test('a follower that is alive needs one snapshot, though the log is let go of many times meanwhile (pitfall 15)', () => {
  const lines: string[] = [];
  const held = { absentLogBytesMax: 0, heldLogBytesMax: 10_000_000 };
  const limits = { ...LIMITS, ...held, snapshotChunkBytesMax: 1 };
  const trace = (line: string): void => void lines.push(line);
  const tokens = new TokenCluster({ seed: 70, limits, trace }).start();
  const client = tokens.client('c');
  const [away] = tokens.followersOf('a');
  client.send('a', 'append');
  tokens.settle();
  // Raft forgets whom it has heard of every half a second, and remembers with the next heartbeat.
  tokens.cluster.setLinks(away!, 'cut');
  appendWithout(away!, { tokens, client, count: 100 });
  tokens.run(3000);
  const said = (event: string): string[] =>
    lines.filter((line) => line.includes(`n${away} info ${event} `) && /"group":1\b/.test(line));
  tokens.cluster.weather.delayMsMax = 40;
  tokens.cluster.setLinks(away!, 'whole');
  const begunMs = tokens.cluster.simulation.nowMs;
  for (let count = 0; said('snapshot-installed').length === 0 && count < 1000; count++) {
    client.send('b', 'append_much', tokens.leaderOf('a'));
    tokens.run(20);
  }
  const tookMs = tokens.cluster.simulation.nowMs - begunMs;
  assert.ok(tookMs > 1500, `it took ${tookMs} ms, which is several checks of the quorum`);
  tokens.check();
  assert.equal(said('snapshot-begun').length, 1);
  const { chunks } = JSON.parse(/\{.*/.exec(said('snapshot-installed')[0]!)![0]);
  assert.ok(chunks > 50, `${chunks} chunks`);
});

test('a follower that took a snapshot can lead, and knows the answers of before (AckedIsDurable)', () => {
  const { tokens, client, away, other, leader } = withFollowerBehind(2);
  tokens.cluster.startNode(away);
  tokens.until(() => generationsOf(tokens, away)[1]! > 1);
  tokens.check();
  tokens.cluster.crash(leader);
  tokens.until(() => {
    const lead = tokens.cluster.engine(other).leaderOf('tokens', 'a');
    return lead === away || lead === other;
  });
  for (const sending of client.sendings.slice(-8)) client.retry(sending, away);
  tokens.run(1000);
  client.send('a', 'append', away);
  tokens.settle();
  tokens.check();
});

test('a sender that dies in mid-stream is replaced by the next leader, and nothing mixes (pitfall 24)', () => {
  let cutOff = 0;
  for (let seed = 3; seed < 13; seed++) {
    const { tokens, client, away, leader } = withFollowerBehind(seed);
    tokens.cluster.startNode(away);
    // Somewhere between the first chunk and the last.
    tokens.run(20 + 12 * seed);
    const isCutOff = leftOver(tokens, away) > 0 && generationsOf(tokens, away)[1] === 1;
    tokens.cluster.crash(leader);
    tokens.run(3000);
    client.send('a', 'append');
    tokens.settle();
    tokens.check();
    // What was cut off is cleared away while the next attempt comes: they must not share a generation.
    assert.ok(generationsOf(tokens, away)[1]! > (isCutOff ? 2 : 1), `seed ${seed}`);
    if (isCutOff) cutOff++;
    tokens.run(3000);
    assert.equal(leftOver(tokens, away), 0, `seed ${seed}`);
  }
  assert.ok(cutOff > 0);
});

test('a receiver that crashes at any point of a snapshot starts again from what it was (pitfall 24)', () => {
  for (let seed = 20; seed < 30; seed++) {
    // Where a batch is what must be written together, and no more, there are the most points.
    const { tokens, away } = withFollowerBehind(seed, { batchBytesMax: seed % 2 ? 1 : 10_000 });
    for (let attempt = 0; attempt < 6; attempt++) {
      tokens.cluster.startNode(away);
      tokens.run(15 + seed * 3 + attempt * 31);
      tokens.cluster.crash(away, attempt % 2 ? 'kept' : 'lost');
    }
    tokens.check();
    assert.ok(generationsOf(tokens, away)[1]! > 1, `seed ${seed}`);
    tokens.run(3000);
    assert.equal(leftOver(tokens, away), 0, `seed ${seed}`);
  }
});

test('a node that crashes the moment a snapshot is in place has all of it (pitfall 24)', () => {
  const { tokens, away } = withFollowerBehind(31, { batchBytesMax: 1 });
  tokens.cluster.startNode(away);
  const [, before] = generationsOf(tokens, away);
  tokens.until(() => generationsOf(tokens, away)[1]! > before!);
  tokens.cluster.crash(away, 'lost');
  tokens.check();
});

test('chunks that are lost, doubled and late still make the same rows (StateIsFold)', () => {
  for (let seed = 40; seed < 45; seed++) {
    const { tokens, client, away } = withFollowerBehind(seed, { messages: 30 });
    Object.assign(tokens.cluster.weather, { dropRate: 0.1, duplicateRate: 0.2, delayMsMax: 20 });
    tokens.cluster.startNode(away);
    for (let count = 0; count < 10; count++) {
      client.send('a', 'append_much');
      tokens.run(200);
    }
    tokens.check();
    assert.ok(generationsOf(tokens, away)[1]! > 1, `seed ${seed}`);
  }
});

test('watches and waiting reads on the follower go on behind the snapshot (CommittedOnly)', () => {
  const tokens = new TokenCluster({ seed: 50, limits: LIMITS }).start();
  const client = tokens.client('c');
  const [away] = tokens.followersOf('a');
  client.send('a', 'append');
  tokens.settle();
  tokens.run(200);
  const seqs: number[] = [];
  const delta = ({ seq }: { seq: number }): void => void seqs.push(seq);
  const sink = { ...IGNORING_SINK, delta };
  tokens.cluster.engine(away!).watch({ space: 'tokens', key: 'a', afterSeq: 1 }, sink);
  tokens.run(200);
  const waited: number[] = [];
  tokens.cluster.engine(away!).read(
    {
      space: 'tokens',
      key: 'a',
      pointer: '',
      mode: { kind: 'atLeast', seq: 40 },
      atSeq: undefined,
      expiresMs: tokens.cluster.simulation.nowMs + 60_000,
    },
    (result) => void (result.kind === 'value' && waited.push(result.seq)),
  );
  tokens.cluster.setLinks(away!, 'cut');
  appendWithout(away!, { tokens, client, count: 60 });
  tokens.run(500);
  tokens.cluster.setLinks(away!, 'whole');
  tokens.until(() => seqs.length === 60, 20_000);
  tokens.until(() => generationsOf(tokens, away!)[1]! > 1);
  assert.deepEqual(
    seqs,
    Array.from({ length: 60 }, (_, at) => at + 2),
  );
  tokens.until(() => waited.length === 1);
  assert.ok(waited[0]! >= 40);
  tokens.check();
});

test('the system group is fetched too: who was away runs the machine that was deployed meanwhile', () => {
  const tokens = new TokenCluster({ seed: 60, limits: LIMITS }).start();
  const [away, other] = tokens.followersOf('a');
  const leader = tokens.leaderOf('a');
  tokens.cluster.crash(away!);
  tokens.cluster.setLink(leader, other!, 'whole');
  const modules = ['tokens-2', 'tokens-3', 'tokens-1', 'tokens-2'].map((name) =>
    new TextEncoder().encode(name),
  );
  for (const module of modules) {
    // A deployment waits for the groups of its own node only.
    tokens.deploy(module);
    tokens.run(300);
  }
  tokens.cluster.startNode(away!);
  tokens.until(() => generationsOf(tokens, away!)[0]! > 1, 20_000);
  tokens.check();
  const { registry } = tokens.cluster.engine(away!);
  assert.equal(registry.latest('tokens'), 5);
  tokens.cluster.crash(leader);
  tokens.client('d').send('a', 'append', away);
  tokens.settle();
  tokens.check();
});
