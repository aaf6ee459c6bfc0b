import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadMode } from '@deltabase/engine';
import { TOKENS, TokenCluster } from '@deltabase/testkit';

function withTokens(seed: number, count: number, limits = {}): TokenCluster {
  const tokens = new TokenCluster({ seed, limits }).start();
  const client = tokens.client('c');
  for (let sent = 0; sent < count; sent++) {
    client.send('a', 'append');
    tokens.settle();
  }
  return tokens;
}

test('a linearizable read shows what was answered before, at every node', () => {
  const tokens = withTokens(1, 0);
  const client = tokens.client('w');
  for (let round = 1; round <= 10; round++) {
    client.send('a', 'append');
    tokens.until(() => client.openCount === 0);
    for (const id of tokens.cluster.ids) assert.equal(tokens.valueAt(id, 'a').seq, round);
  }
  tokens.check();
});

test('no read shows what is not committed, not even at the leader that proposed it (CommittedOnly)', () => {
  const tokens = withTokens(2, 1);
  const leader = tokens.leaderOf('a');
  for (const id of tokens.followersOf('a')) tokens.cluster.setLink(id, leader, 'cut');
  tokens.client('w').send('a', 'append', leader);
  tokens.run(100);
  const stale = tokens.valueAt(leader, 'a', { mode: { kind: 'stale' } });
  assert.equal(stale.seq, 1);
  tokens.check();
});

test('a linearizable read at a leader that was cut off is not answered from its own state', () => {
  const tokens = withTokens(3, 1);
  const leader = tokens.leaderOf('a');
  tokens.cluster.setLinks(leader, 'cut');
  const { simulation } = tokens.cluster;
  const result = tokens.read(leader, 'a', { expiresMs: simulation.nowMs + 800 });
  assert.ok(result.kind === 'failed' && result.code === 'UNAVAILABLE', JSON.stringify(result));
  const stale = tokens.valueAt(leader, 'a', { mode: { kind: 'stale' } });
  assert.equal(stale.seq, 1);
});

test('reads that are given up where nobody can answer them make room soon, and are not answered', () => {
  const tokens = withTokens(3, 1);
  const leader = tokens.leaderOf('a');
  tokens.cluster.setLinks(leader, 'cut');
  const engine = tokens.cluster.engine(leader);
  const request = { space: TOKENS, key: 'a', pointer: '', atSeq: undefined };
  const expiresMs = tokens.cluster.simulation.nowMs + 60_000;
  const modes: ReadMode[] = [{ kind: 'linearizable' }, { kind: 'atLeast', seq: 9 }];
  const answers: string[] = [];
  const reads = modes.map((mode) =>
    engine.read({ ...request, mode, expiresMs }, ({ kind }) => void answers.push(kind)),
  );
  const open = () => engine.usage().find(({ limit }) => limit === 'readQueueMax')!.used;
  tokens.run(200);
  assert.equal(open(), 2);
  for (const read of reads) read.cancel();
  tokens.run(500);
  assert.equal(open(), 0);
  tokens.cluster.setLinks(leader, 'whole');
  const client = tokens.client('later');
  for (let count = 0; count < 9; count++) {
    client.send('a', 'append');
    tokens.run(1000);
  }
  assert.equal(tokens.valueAt(leader, 'a').seq, 10);
  assert.deepEqual(answers, []);
});

test('a read at least at a seq waits for it, and no longer than it may', () => {
  const tokens = withTokens(4, 2);
  const [follower] = tokens.followersOf('a');
  const { simulation } = tokens.cluster;
  let seq = 0;
  tokens.cluster.engine(follower!).read(
    {
      space: TOKENS,
      key: 'a',
      pointer: '',
      mode: { kind: 'atLeast', seq: 3 },
      atSeq: undefined,
      expiresMs: simulation.nowMs + 5000,
    },
    (result) => {
      assert.ok(result.kind === 'value');
      seq = result.seq;
    },
  );
  tokens.run(400);
  assert.equal(seq, 0);
  tokens.client('w').send('a', 'append');
  tokens.until(() => seq === 3, 2000);
  const expiresMs = simulation.nowMs + 300;
  const late = tokens.read(follower!, 'a', { mode: { kind: 'atLeast', seq: 99 }, expiresMs });
  assert.ok(late.kind === 'failed' && late.code === 'DEADLINE_EXCEEDED');
  assert.ok(simulation.nowMs <= expiresMs + 300, 'bounded wait');
  tokens.check();
});

test('a stale read is answered by a node that is cut off, with what it has', () => {
  const tokens = withTokens(5, 2);
  const [follower] = tokens.followersOf('a');
  tokens.run(500);
  tokens.cluster.setLinks(follower!, 'cut');
  tokens.client('w').send('a', 'append', tokens.leaderOf('a'));
  tokens.until(() => tokens.clients.every(({ openCount }) => openCount === 0));
  assert.equal(tokens.valueAt(follower!, 'a', { mode: { kind: 'stale' } }).seq, 2);
  tokens.check();
});

test('a read gives the part at a pointer, or says that there is none', () => {
  const tokens = withTokens(6, 3);
  assert.equal(tokens.valueAt(1, 'a', { pointer: '/1' }).json, 'c-2');
  const none = tokens.read(1, 'a', { pointer: '/7' });
  assert.ok(none.kind === 'failed' && none.code === 'POINTER_NOT_FOUND');
  const malformed = tokens.read(1, 'a', { pointer: 'x' });
  assert.ok(malformed.kind === 'failed' && malformed.code === 'INVALID_ARGUMENT');
  const absent = tokens.read(1, 'b');
  assert.ok(absent.kind === 'failed' && absent.code === 'DOCUMENT_NOT_FOUND');
});

test('a document is read as it was at any seq, from memory, chunks and snapshots (StateIsFold)', () => {
  const limits = { flushIntervalMs: 100, snapshotDeltaBytesMin: 1000, pieceBytesMax: 64 };
  const tokens = withTokens(7, 40, limits);
  for (const id of tokens.cluster.ids) {
    const hashes = new Set<string>();
    for (let atSeq = 1; atSeq <= 40; atSeq++) {
      const { seq, json, hash } = tokens.valueAt(id, 'a', { atSeq });
      assert.equal(seq, atSeq);
      assert.equal((json as unknown[]).length, atSeq);
      hashes.add(hash);
    }
    assert.equal(hashes.size, 40);
    const beyond = tokens.read(id, 'a', { atSeq: 41 });
    assert.ok(beyond.kind === 'failed' && beyond.code === 'INVALID_ARGUMENT');
  }
  tokens.check();
});

test('reads beyond the limit are answered OVERLOADED, and no value is larger than a read may be', () => {
  const tokens = withTokens(8, 3, { readQueueMax: 5, readBytesMax: 8 });
  const codes: string[] = [];
  const request = {
    space: TOKENS,
    key: 'a',
    pointer: '/0',
    mode: { kind: 'linearizable' } as const,
    atSeq: undefined,
    expiresMs: tokens.cluster.simulation.nowMs + 1000,
  };
  for (let count = 0; count < 8; count++) {
    tokens.cluster
      .engine(1)
      .read(request, (result) => codes.push(result.kind === 'failed' ? result.code : result.kind));
  }
  tokens.run(500);
  assert.deepEqual(codes.sort(), [
    ...Array.from({ length: 3 }, () => 'OVERLOADED'),
    ...Array.from({ length: 5 }, () => 'value'),
  ]);
  const whole = tokens.read(1, 'a');
  assert.ok(whole.kind === 'failed' && whole.code === 'OUTPUT_TOO_LARGE');
});
