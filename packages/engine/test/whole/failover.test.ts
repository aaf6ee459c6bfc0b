import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import type { DeployResult, Result } from '@deltabase/engine';
import { TOKEN_MODULES, TOKENS, TokenCluster } from '@deltabase/testkit';
import { IGNORING_SINK } from '../support/watch-sink.js';

test('with the quorum lost every call settles: messages, reads, watches and deployments', () => {
  const tokens = new TokenCluster({ seed: 1 }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  client.send('a', 'append', leader);
  tokens.settle();
  for (const id of tokens.followersOf('a')) tokens.cluster.crash(id);
  const { simulation } = tokens.cluster;
  const engine = tokens.cluster.engine(leader);
  const settled: string[] = [];
  const session = { name: '', openedAt: 0, settled: 0 };
  const payload = new TextEncoder().encode('{"token":"x"}');
  const rest = { payload, principal: 'x', session, number: 0, after: 0 };
  const sink = {
    answer: (tag: number, result: Result) =>
      void settled.push(`message ${tag} ${result.kind === 'failed' ? result.code : result.kind}`),
    flush() {},
  };
  const expiresMs = simulation.nowMs + 3000;
  engine.submit(
    ['append', 'look', 'refuse'].map((channel, tag) => {
      return { message: { space: TOKENS, key: 'a', channel, ...rest }, sink, tag, expiresMs };
    }),
  );
  engine.read(
    {
      space: TOKENS,
      key: 'a',
      pointer: '',
      mode: { kind: 'linearizable' },
      atSeq: undefined,
      expiresMs,
    },
    (result) => void settled.push(`read ${result.kind}`),
  );
  const watch = { ...IGNORING_SINK, end: () => void settled.push('watch') };
  engine.watch({ space: TOKENS, key: 'a', afterSeq: undefined }, watch);
  const deployed: DeployResult[] = [];
  engine.deploy(
    { space: 'other', module: TOKEN_MODULES[0]!, expectedVersion: 0, principal: 'x', expiresMs },
    (result) => void deployed.push(result),
  );
  tokens.until(() => settled.length === 5 && deployed.length === 1, 15_000);
  assert.deepEqual(settled.sort(), [
    'message 0 UNAVAILABLE',
    'message 1 UNAVAILABLE',
    'message 2 UNAVAILABLE',
    'read failed',
    'watch',
  ]);
  assert.equal(deployed[0]!.kind, 'failed');
  assert.equal(engine.status().groups[1]!.role === 'leader', false);
});

test('a node that stops answers whatever is open, each call once', () => {
  const tokens = new TokenCluster({ seed: 2 }).start();
  const leader = tokens.leaderOf('a');
  const engine = tokens.cluster.engine(leader);
  const got: string[] = [];
  const session = { name: '', openedAt: 0, settled: 0 };
  const payload = new TextEncoder().encode('{"token":"x"}');
  const rest = { channel: 'append', payload, principal: 'x', session, number: 0, after: 0 };
  const expiresMs = tokens.cluster.simulation.nowMs + 5000;
  let flushes = 0;
  const sink = {
    answer: (tag: number, result: Result) =>
      void got.push(`message ${tag} ${result.kind === 'failed' ? result.code : result.kind}`),
    flush: () => void flushes++,
  };
  const message = { space: TOKENS, key: 'a', ...rest };
  const read = {
    space: TOKENS,
    key: 'a',
    pointer: '',
    mode: { kind: 'linearizable' } as const,
    atSeq: undefined,
    expiresMs,
  };
  const ask = (): void => {
    engine.submit([{ message, sink, tag: 1, expiresMs }]);
    engine.read(read, ({ kind }) => void got.push(`read ${kind}`));
    const mode = { kind: 'atLeast', seq: 99 } as const;
    engine.read({ ...read, mode }, ({ kind }) => void got.push(`waiting read ${kind}`));
    const watch = { ...IGNORING_SINK, end: () => void got.push('watch') };
    engine.watch({ space: TOKENS, key: 'b', afterSeq: undefined }, watch);
    engine.history(
      { space: TOKENS, key: 'a', fromSeq: 1 },
      ({ kind }) => void got.push(`page ${kind}`),
    );
    engine.module('0', (module) => void got.push(`module ${module}`));
    engine.deploy(
      { space: 'x', module: TOKEN_MODULES[0]!, expectedVersion: 0, principal: 'x', expiresMs },
      ({ kind }) => void got.push(`deploy ${kind}`),
    );
    engine.drain(() => void got.push('drained'));
  };
  ask();
  tokens.run(0.01);
  ask();
  tokens.cluster.stop(leader);
  ask();
  const counts = new Map<string, number>();
  for (const line of got) counts.set(line, (counts.get(line) ?? 0) + 1);
  assert.equal(counts.get('message 1 UNAVAILABLE'), 3, got.join('; '));
  assert.equal(counts.get('read failed'), 3);
  assert.equal(counts.get('waiting read failed'), 3);
  assert.equal(counts.get('watch'), 3);
  assert.equal((counts.get('page failed') ?? 0) + (counts.get('page page') ?? 0), 3);
  assert.equal(counts.get('module undefined'), 3);
  assert.equal(counts.get('deploy failed'), 3);
  assert.ok(flushes > 0);
});

test('a node that stops gives back what it passed on and has no answer to, outcome unknown', () => {
  const tokens = new TokenCluster({ seed: 19 }).start();
  const [follower] = tokens.followersOf('a');
  const leader = tokens.leaderOf('a');
  tokens.cluster.setLink(leader, follower!, 'cut');
  const results: Result[] = [];
  const sink = { answer: (_tag: number, result: Result) => void results.push(result), flush() {} };
  const session = { name: '', openedAt: 0, settled: 0 };
  const payload = new TextEncoder().encode('{"token":"x"}');
  const rest = { channel: 'append', payload, principal: 'x', session, number: 0, after: 0 };
  const message = { space: TOKENS, key: 'a', ...rest };
  const expiresMs = tokens.cluster.simulation.nowMs + 60_000;
  tokens.cluster.engine(follower!).submit([{ message, sink, tag: 1, expiresMs }]);
  tokens.run(100);
  assert.equal(results.length, 0);
  tokens.cluster.stop(follower!);
  assert.ok(results[0]?.kind === 'failed' && results[0].code === 'UNAVAILABLE');
  assert.equal(results[0].details['outcomeUnknown'], true);
});

test('a disk that fails ends its node; the others go on, and it comes back with what it had', () => {
  for (let seed = 3; seed < 9; seed++) {
    const tokens = new TokenCluster({ seed, limits: { flushIntervalMs: 100 } }).start();
    const client = tokens.client('c');
    for (let round = 0; round < 6; round++) {
      for (let count = 0; count < 5; count++) client.send('a', 'append');
      tokens.run(37);
      const id = 1 + (round % 3);
      tokens.cluster.failDisk(id);
      client.send('a', 'append');
      tokens.until(() => !tokens.cluster.isUp(id), 5000);
      tokens.run(100);
      tokens.cluster.startNode(id);
    }
    tokens.check();
  }
});

test('a node that drains hands every leadership over before it is done, and loses no message', () => {
  const tokens = new TokenCluster({ seed: 10, groups: 3 }).start();
  tokens.run(6000);
  const client = tokens.client('c');
  const keys = Array.from({ length: 9 }, (_, at) => `k${at}`);
  const drained = tokens.leaderOf('k0');
  let isDone = false;
  for (const key of keys) client.send(key, 'append', drained);
  tokens.cluster.engine(drained).drain(() => {
    isDone = true;
  });
  const startMs = tokens.cluster.simulation.nowMs;
  while (!isDone) {
    for (const key of keys) client.send(key, 'append');
    tokens.run(20);
  }
  const tookMs = tokens.cluster.simulation.nowMs - startMs;
  assert.ok(tookMs < 2000, `${tookMs} ms`);
  const { groups } = tokens.cluster.engine(drained).status();
  assert.ok(groups.every(({ role }) => role !== 'leader'));
  tokens.cluster.stop(drained);
  // Nobody had to wait for an election: the others lead already.
  const other = tokens.cluster.engines()[0]!;
  for (const key of keys) assert.notEqual(other.leaderOf(TOKENS, key), drained);
  tokens.settle();
  tokens.check();
});

test('a node that nobody can relieve goes after some seconds in any case', () => {
  const tokens = new TokenCluster({ seed: 11 }).start();
  const leader = tokens.leaderOf('a');
  for (const id of tokens.followersOf('a')) tokens.cluster.crash(id);
  let isDone = false;
  tokens.cluster.engine(leader).drain(() => {
    isDone = true;
  });
  tokens.until(() => isDone, 11_000);
});

test('a follower that stalled for long does not disrupt when it wakes: the leader stays', () => {
  for (const stallMs of [200, 2000, 60_000]) {
    const tokens = new TokenCluster({ seed: 12 }).start();
    tokens.run(5000);
    const client = tokens.client('c');
    const leader = tokens.leaderOf('a');
    const [follower] = tokens.followersOf('a');
    const { term } = tokens.cluster.engine(leader).status().groups[1]!;
    tokens.cluster.pause(follower!);
    for (let count = 0; count < 5; count++) client.send('a', 'append', leader);
    tokens.run(stallMs);
    tokens.cluster.resume(follower!);
    tokens.run(3000);
    assert.equal(tokens.cluster.engine(leader).status().groups[1]!.term, term, `${stallMs} ms`);
    assert.equal(tokens.leaderOf('a'), leader);
    tokens.check();
  }
});

test('nodes that all stalled together, as on a machine that slept, keep their leader (pitfall 21)', () => {
  const tokens = new TokenCluster({ seed: 18 }).start();
  tokens.run(5000);
  const leader = tokens.leaderOf('a');
  const { term } = tokens.cluster.engine(leader).status().groups[1]!;
  for (const id of tokens.cluster.ids) tokens.cluster.pause(id);
  tokens.run(30_000);
  for (const id of tokens.cluster.ids) tokens.cluster.resume(id);
  tokens.run(3000);
  assert.equal(tokens.leaderOf('a'), leader);
  assert.equal(tokens.cluster.engine(leader).status().groups[1]!.term, term);
  tokens.check();
});

test('a leader that stalled for long finds another one, and what it held takes effect once', () => {
  const tokens = new TokenCluster({ seed: 13 }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  for (let count = 0; count < 5; count++) client.send('a', 'append', leader);
  tokens.run(0.05);
  tokens.cluster.pause(leader);
  tokens.run(5000);
  const [other] = tokens.cluster.ids.filter((id) => id !== leader);
  assert.notEqual(tokens.cluster.engine(other!).leaderOf(TOKENS, 'a'), leader);
  tokens.settle();
  tokens.cluster.resume(leader);
  tokens.check();
  assert.equal(tokens.valueAt(1, 'a').seq, 5);
});

test('a new leader runs nothing before it has applied all of earlier terms (OnlyLeadersRunLogic)', () => {
  // An entry for each message, and one applied in each turn: the new leader is busy with those for a while.
  const limits = { entryBytesMax: 1, appendBytesMax: 1 };
  for (let seed = 1; seed <= 5; seed++) {
    const tokens = new TokenCluster({ seed, limits }).start();
    const client = tokens.client('c');
    const leader = tokens.leaderOf('a');
    const followers = tokens.followersOf('a');
    // It hears of no follower, so that nothing is committed.
    for (const id of followers) tokens.cluster.setLink(id, leader, 'cut');
    for (let count = 0; count < 30; count++) client.send('a', 'append', leader);
    tokens.run(200);
    const positions = followers.map((id) => tokens.cluster.engine(id).positions()[1]!);
    assert.ok(positions.every(({ lastIndex, commit }) => lastIndex >= commit + 30));
    tokens.cluster.crash(leader);
    for (let count = 0; count < 40; count++) {
      for (const id of followers) client.send('a', 'append', id);
      tokens.run(20);
    }
    tokens.check();
  }
});

test('a follower that is cut off for long does not disrupt when it is back: the leader stays', () => {
  const tokens = new TokenCluster({ seed: 14 }).start();
  tokens.run(5000);
  const leader = tokens.leaderOf('a');
  const [follower] = tokens.followersOf('a');
  const { term } = tokens.cluster.engine(leader).status().groups[1]!;
  tokens.cluster.setLinks(follower!, 'cut');
  tokens.run(20_000);
  tokens.cluster.setLinks(follower!, 'whole');
  tokens.run(3000);
  assert.equal(tokens.cluster.engine(leader).status().groups[1]!.term, term);
  tokens.check();
});

test('leaders spread over the nodes by themselves', () => {
  const tokens = new TokenCluster({ seed: 15, groups: 6 }).start();
  tokens.run(30_000);
  tokens.cluster.awaitLeaders();
  const led = new Map<number, number>();
  for (const lead of tokens.cluster.engine(1).leaders()) led.set(lead, (led.get(lead) ?? 0) + 1);
  assert.deepEqual([...led.values()].sort(), [2, 2, 3]);
  tokens.check();
});

test('idle groups write nothing, and cost a heartbeat', () => {
  const tokens = new TokenCluster({
    seed: 16,
    groups: 4,
    limits: { flushIntervalMs: 100 },
  }).start();
  tokens.run(30_000);
  const before = tokens.cluster.engines().map((engine) => engine.status().counters);
  tokens.run(10_000);
  for (const [at, engine] of tokens.cluster.engines().entries()) {
    const { counters } = engine.status();
    assert.equal(counters.diskWrites, before[at]!.diskWrites);
    const frames = counters.peerFramesSent - before[at]!.peerFramesSent;
    // Every 100 ms to two peers, and the answers to theirs; all groups share a frame.
    assert.ok(frames <= 10 * 10 * 2 * 2 + 4, `${frames} frames`);
  }
  tokens.check();
});

test('frames of chance from a peer are lost, and end nothing', () => {
  const tokens = new TokenCluster({ seed: 17 }).start();
  const random = makePrng(17);
  const client = tokens.client('c');
  for (let round = 0; round < 300; round++) {
    const frame = Uint8Array.from({ length: random.below(200) }, () => random.below(256));
    const [from, to] = [1 + random.below(5), 1 + random.below(3)];
    tokens.cluster.inject(from, to, random.below(2) === 0 ? 'urgent' : 'bulk', frame);
    if (round % 30 === 0) client.send('a', 'append');
    tokens.run(1);
  }
  tokens.settle();
  tokens.check();
});
