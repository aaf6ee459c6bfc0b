import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '@deltabase/engine';
import { decodeCommand, recordAt } from '@deltabase/machine';
import { Cluster, makeScriptMachines, TOKENS, TokenCluster } from '@deltabase/testkit';
import { IGNORING_SINK } from '../support/watch-sink.js';

test('what a group has no room for is answered OVERLOADED at once, the rest is carried out', () => {
  const tokens = new TokenCluster({ seed: 1, limits: { groupQueueMax: 20 } }).start();
  const leader = tokens.leaderOf('a');
  for (const id of tokens.followersOf('a')) tokens.cluster.setLink(id, leader, 'cut');
  const results: Result[] = [];
  const sink = { answer: (_tag: number, result: Result) => void results.push(result), flush() {} };
  const session = { name: '', openedAt: 0, settled: 0 };
  const payload = new TextEncoder().encode('{"token":"x"}');
  const rest = { channel: 'append', payload, principal: 'x', session, number: 0, after: 0 };
  const expiresMs = tokens.cluster.simulation.nowMs + 20_000;
  tokens.cluster.engine(leader).submit(
    Array.from({ length: 200 }, (_, tag) => {
      return { message: { space: TOKENS, key: `k${tag % 7}`, ...rest }, sink, tag, expiresMs };
    }),
  );
  tokens.run(50);
  const refused = results.filter((result) => result.kind === 'failed');
  assert.ok(refused.every((result) => result.kind === 'failed' && result.code === 'OVERLOADED'));
  assert.ok(refused.length >= 160, `${refused.length} refused, the rest waits`);
  assert.ok(tokens.cluster.engine(leader).status().groups[1]!.queued <= 20, 'memory is bounded');
  for (const id of tokens.followersOf('a')) tokens.cluster.setLink(id, leader, 'whole');
  tokens.until(() => results.length === 200, 30_000);
});

test('a client that is answered OVERLOADED gets all done by sending again', () => {
  const limits = { groupQueueMax: 4, forwardsMax: 4, turnMessagesMax: 2 };
  const tokens = new TokenCluster({ seed: 2, limits }).start();
  const client = tokens.client('c');
  for (let count = 0; count < 100; count++) client.send('a', 'append');
  tokens.check();
  assert.equal(tokens.valueAt(1, 'a').seq, 100);
});

test('messages are proposed one by one where more of them would be too many bytes', () => {
  // An answer that must be remembered and a delta behind it are two entries of one turn.
  const limits = { uncommittedBytesMax: 1, silentAnswersMax: 1 };
  const tokens = new TokenCluster({ seed: 3, limits }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  const [away] = tokens.followersOf('a');
  tokens.cluster.crash(away!);
  for (let round = 0; round < 20; round++) {
    // Sent in vain first, so that another copy of it may still come.
    const refused = client.send('a', 'refuse', away);
    client.retry(refused, leader);
    client.send('a', 'append', leader);
    tokens.run(20);
  }
  tokens.check();
});

test('a message that waits for too long is answered DEADLINE_EXCEEDED and never runs', () => {
  let ran = 0;
  const limits = { groupQueueMax: 10 };
  const tokens = new TokenCluster({ seed: 3, ran: () => ran++, limits }).start();
  const leader = tokens.leaderOf('a');
  for (const id of tokens.followersOf('a')) tokens.cluster.setLink(id, leader, 'cut');
  const codes = new Map<number, string>();
  const sink = {
    answer: (tag: number, result: Result) =>
      void codes.set(tag, result.kind === 'failed' ? result.code : result.kind),
    flush() {},
  };
  const session = { name: '', openedAt: 0, settled: 0 };
  const payload = new TextEncoder().encode('{"token":"x"}');
  const rest = { channel: 'append', payload, principal: 'x', session, number: 0, after: 0 };
  const message = { space: TOKENS, key: 'a', ...rest };
  const { nowMs } = tokens.cluster.simulation;
  const submit = (tags: readonly number[], forMs: number): void => {
    const submissions = tags.map((tag) => ({ message, sink, tag, expiresMs: nowMs + forMs }));
    tokens.cluster.engine(leader).submit(submissions);
    tokens.run(5);
  };
  // As many as may be in flight; the others have to wait, and not all of them can for long.
  submit([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 20_000);
  submit([10, 11, 12], 100);
  submit([13], 20_000);
  assert.equal(ran, 10);
  tokens.run(400);
  assert.deepEqual(
    [...codes],
    [10, 11, 12].map((tag) => [tag, 'DEADLINE_EXCEEDED']),
  );
  for (const id of tokens.followersOf('a')) tokens.cluster.setLink(id, leader, 'whole');
  tokens.until(() => codes.size === 14);
  assert.equal(ran, 11);
});

test('a group with a long queue does not keep the other groups of its node waiting', () => {
  const ran: string[] = [];
  const tokens = new TokenCluster({
    ...{ seed: 41, nodes: 1, groups: 4, limits: { turnMessagesMax: 1 } },
    ran: ({ call }) => void ran.push(call.channel),
  }).start();
  const client = tokens.client('c');
  const [busy, ...others] = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const key of [busy!, ...others]) client.send(key, 'append');
  tokens.settle();
  ran.length = 0;
  for (let count = 0; count < 100; count++) client.send(busy!, 'append');
  for (const key of others) client.send(key, 'look');
  tokens.settle();
  assert.equal(ran.length, 100 + others.length);
  assert.ok(new Set(others.map((key) => tokens.groupOf(key))).size > 2);
  const waited = others.filter((key) => tokens.groupOf(key) !== tokens.groupOf(busy!)).length;
  const early = ran.slice(0, 50).filter((channel) => channel === 'look').length;
  assert.ok(early >= waited, `${early} of ${waited} ran among the first`);
  tokens.check();
});

test('an entry ends where its records by themselves are too many bytes', () => {
  const limits = { entryBytesMax: 1000, flushIntervalMs: 1_000_000 };
  const tokens = new TokenCluster({ seed: 43, limits }).start();
  const leader = tokens.leaderOf('a');
  const client = tokens.client('c');
  for (let count = 0; count < 100; count++) client.send('a', 'append', leader);
  tokens.settle();
  const sizes: number[] = [];
  tokens.cluster.engine(leader).readLog(tokens.groupOf('a'), 1, (entries) => {
    for (const { data, type } of entries) {
      const command = type === 'normal' && data.length > 0 ? decodeCommand(data) : undefined;
      if (command?.kind !== 'deltas') continue;
      const records = command.offsets.map((offset) => recordAt(data, offset).length);
      sizes.push(records.reduce((sum, bytes) => sum + bytes, 0));
    }
  });
  tokens.run(10);
  assert.ok(sizes.length >= 10 && sizes.every((bytes) => bytes < 1500), `${sizes}`);
  assert.ok(
    sizes.some((bytes) => bytes > 500),
    'there was more than one record for an entry',
  );
  tokens.check();
});

test('a long log that is applied after a restart is spread over many turns (pitfall 21)', () => {
  const limits = { entryBytesMax: 400, applyBytesMax: 300, flushIntervalMs: 1_000_000 };
  const tokens = new TokenCluster({ seed: 42, limits }).start();
  const client = tokens.client('c');
  const [follower] = tokens.followersOf('a');
  for (let count = 0; count < 100; count++) client.send('a', 'append_much');
  tokens.settle();
  tokens.run(1000);
  tokens.cluster.crash(follower!);
  tokens.cluster.startNode(follower!);
  tokens.until(() => tokens.cluster.isUp(follower!));
  let applied = 0;
  let most = 0;
  let begunMs = Infinity;
  const { simulation } = tokens.cluster;
  tokens.until(() => {
    const { deltasApplied } = tokens.cluster.engine(follower!).status().counters;
    most = Math.max(most, deltasApplied - applied);
    applied = deltasApplied;
    if (applied > 0) begunMs = Math.min(begunMs, simulation.nowMs);
    return applied >= 100;
  });
  assert.ok(most <= 3, `${most} deltas in one turn`);
  const tookMs = simulation.nowMs - begunMs;
  assert.ok(tookMs < 1000, `one turn after the other, not with the next news: ${tookMs} ms`);
  tokens.check();
});

test('expensive messages do not keep a node from its ticks: nobody else is elected', () => {
  // Each costs what a turn may, so each has a turn for itself.
  const limits = { turnFuelMax: 1000 };
  const tokens = new TokenCluster({ seed: 4, limits }).start();
  const leader = tokens.leaderOf('a');
  const { term } = tokens.cluster.engine(leader).status().groups[1]!;
  const client = tokens.client('c');
  const turns = tokens.cluster.engine(leader).status().counters.turns;
  for (let count = 0; count < 500; count++) client.send('a', 'append', leader);
  tokens.settle();
  const after = tokens.cluster.engine(leader).status();
  assert.ok(after.counters.turns - turns >= 500, 'a turn for each (LogicCannotHurtTheHost)');
  assert.equal(after.groups[1]!.term, term);
  tokens.check();
});

test('a group with much to apply costs its node none of the others that it leads (pitfall 21)', () => {
  // A turn executes one message and applies one entry, and has no budget left for other groups then.
  const limits = { turnMessagesMax: 1, applyBytesMax: 1, idleSleepMs: 1_000_000 };
  let campaigns = 0;
  const trace = (line: string): void => {
    if (line.includes('"role":"preCandidate"')) campaigns++;
  };
  const tokens = new TokenCluster({ seed: 44, groups: 12, limits, trace }).start();
  const { cluster } = tokens;
  const client = tokens.client('c');
  client.send('a', 'append');
  tokens.settle();
  // Until each node leads its share.
  tokens.run(10_000);
  const leader = tokens.leaderOf('a');
  const engine = cluster.engine(leader);
  campaigns = 0;
  // All that is executed here is committed at once.
  for (const id of tokens.followersOf('a')) cluster.setLink(id, leader, 'cut');
  for (let count = 0; count < 60; count++) client.send('a', 'append', leader);
  tokens.run(50);
  for (const id of tokens.followersOf('a')) cluster.setLink(id, leader, 'whole');
  const { deltasApplied } = engine.status().counters;
  tokens.until(() => engine.status().counters.deltasApplied > deltasApplied);
  for (let turn = 0; turn < 20; turn++) {
    // Turns take time, so that ticks and what the others say share the next ones.
    cluster.pause(leader);
    tokens.run(120);
    const { turns } = engine.status().counters;
    cluster.resume(leader);
    tokens.until(() => engine.status().counters.turns > turns + 1);
  }
  assert.ok(engine.status().counters.deltasApplied < deltasApplied + 60, 'it was busy until now');
  assert.equal(campaigns, 0, 'nobody missed a leader');
  tokens.check();
});

test('the others hear of a node before its turn begins with what takes time (pitfall 21)', () => {
  let ran: number | undefined;
  const framesOf = (node: number): number =>
    tokens.cluster.engine(node).status().counters.peerFramesSent;
  const tokens: TokenCluster = new TokenCluster({
    seed: 4,
    ran: () => {
      ran ??= framesOf(leader);
    },
  }).start();
  const leader = tokens.leaderOf('a');
  const client = tokens.client('c');
  client.send('a', 'append', leader);
  tokens.settle();
  tokens.run(1000);
  ran = undefined;
  // Ticks and a message that came while the node stood still share its next turn.
  tokens.cluster.pause(leader);
  tokens.run(150);
  client.send('a', 'append', leader);
  tokens.run(1);
  const before = framesOf(leader);
  tokens.cluster.resume(leader);
  tokens.until(() => ran !== undefined);
  assert.equal(ran, before + 2, 'a frame to each peer had left when the message ran');
  tokens.check();
});

test('a handler that fails in any way costs its own message an error, and no other', () => {
  const run = ({ payload }: { payload: unknown }): number => {
    if ((payload as { fail?: boolean }).fail) throw new RangeError('a defect of the test');
    return 1;
  };
  const machines = () => {
    const host = makeScriptMachines({ m: { channels: ['go'], run } });
    // As the real host does: whatever a guest does is a fault of its message (LogicCannotHurtTheHost).
    const inner = host.run.bind(host);
    host.run = (machine, call, draft) => {
      try {
        return inner(machine, call, draft);
      } catch {
        return { kind: 'failed', code: 'TRAPPED', message: 'trapped', fuel: 1, logs: [] };
      }
    };
    return host;
  };
  const cluster = new Cluster({ seed: 5, nodes: 3, groups: 1, machines });
  cluster.start();
  let isDeployed = false;
  const module = new TextEncoder().encode('m');
  const request = { space: 'm', module, expectedVersion: 0, principal: 'x', expiresMs: 20_000 };
  cluster.engine(1).deploy(request, ({ kind }) => {
    isDeployed = kind === 'deployed';
  });
  cluster.simulation.runUntil(() => isDeployed);
  const codes: string[] = [];
  const sink = {
    answer: (_tag: number, result: Result) =>
      void codes.push(result.kind === 'failed' ? result.code : result.kind),
    flush() {},
  };
  const session = { name: '', openedAt: 0, settled: 0 };
  const rest = { channel: 'go', principal: 'x', session, number: 0, after: 0 };
  const payloads = ['{}', '{"fail":true}', 'not json', '{}', '[[[[', ''];
  const submissions = payloads.map((text, tag) => {
    const payload = new TextEncoder().encode(text);
    const message = { space: 'm', key: 'a', payload, ...rest };
    return { message, sink, tag, expiresMs: 30_000 };
  });
  cluster.engine(cluster.engine(1).leaderOf('m', 'a')).submit(submissions);
  cluster.simulation.runUntil(() => codes.length === payloads.length);
  assert.deepEqual(codes.slice(0, 5), [
    'accepted',
    'TRAPPED',
    'INVALID_ARGUMENT',
    'accepted',
    'INVALID_ARGUMENT',
  ]);
});

test('too many pages of history asked for at once are refused, and the next ones are not', () => {
  const tokens = new TokenCluster({ seed: 40, limits: { readQueueMax: 5 } }).start();
  const leader = tokens.leaderOf('a');
  tokens.client('c').send('a', 'append', leader);
  tokens.settle();
  const engine = tokens.cluster.engine(leader);
  const answers: string[] = [];
  const ask = (): void =>
    engine.history({ space: TOKENS, key: 'cold', fromSeq: 1 }, (page) => {
      answers.push(page.kind === 'failed' ? page.code : page.kind);
    });
  for (let count = 0; count < 8; count++) ask();
  tokens.run(100);
  const count = (answer: string): number => answers.filter((one) => one === answer).length;
  assert.deepEqual([count('OVERLOADED'), count('DOCUMENT_NOT_FOUND')], [3, 5]);
  ask();
  tokens.run(100);
  assert.equal(answers.at(-1), 'DOCUMENT_NOT_FOUND');
});

test('documents stay within the memory they may take, and every message and read has its answer', () => {
  const limits = { residentBytesMax: 40_000, idleEvictMs: 60_000, flushIntervalMs: 100 };
  const tokens = new TokenCluster({ seed: 41, limits }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  const { simulation } = tokens.cluster;
  const engine = tokens.cluster.engine(leader);
  let most = 0;
  const look = (): void => {
    most = Math.max(most, engine.status().counters.residentBytes);
    simulation.schedule(10, look);
  };
  look();
  for (let at = 0; at < 200; at++) client.send(`k${at}`, 'append_much', leader);
  tokens.settle(120_000);
  assert.ok(most > 30_000 && most < 100_000, `${most} bytes`);
  for (let at = 0; at < 200; at++) assert.equal(tokens.valueAt(leader, `k${at}`).seq, 1);
  assert.ok(most < 100_000, `${most} bytes`);
  tokens.check();
});

test('with what is in use filling the memory, others come in one by one, in time or not at all', () => {
  const limits = { residentBytesMax: 6000, loadsWaitingMax: 4, flushIntervalMs: 100 };
  const tokens = new TokenCluster({ seed: 42, limits }).start();
  const leader = tokens.leaderOf('a');
  const client = tokens.client('c');
  const engine = tokens.cluster.engine(leader);
  // What is watched does not leave.
  const sink = { ...IGNORING_SINK, ready: false, idle: false };
  const watch = engine.watch({ space: TOKENS, key: 'watched', afterSeq: undefined }, sink);
  let sent = 0;
  while (engine.status().counters.residentBytes < 6000) {
    client.send('watched', 'append_much', leader);
    sent++;
    tokens.settle();
    tokens.run(1500);
  }
  tokens.run(5000);
  assert.ok(engine.status().counters.residentBytes >= 6000);
  const codes: string[] = [];
  for (let at = 0; at < 6; at++) {
    const expiresMs = tokens.cluster.simulation.nowMs + 400;
    const read = { space: TOKENS, key: `cold ${at}`, pointer: '', atSeq: undefined, expiresMs };
    engine.read({ ...read, mode: { kind: 'stale' } }, (result) => {
      codes.push(result.kind === 'failed' ? result.code : result.kind);
    });
  }
  tokens.run(1000);
  const count = (code: string): number => codes.filter((one) => one === code).length;
  assert.equal(count('OVERLOADED'), 2);
  assert.ok(count('DEADLINE_EXCEEDED') >= 2, codes.join());
  assert.ok(count('DOCUMENT_NOT_FOUND') >= 1, codes.join());
  assert.equal(codes.length, 6);
  assert.equal(tokens.valueAt(leader, 'watched').seq, sent);
  client.send('cold', 'append', leader);
  tokens.settle();
  watch.cancel();
  tokens.check();
});
