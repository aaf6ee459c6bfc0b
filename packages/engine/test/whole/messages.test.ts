import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TOKENS, TokenCluster } from '@deltabase/testkit';

function seqs(results: ReadonlyArray<{ kind: string; seq?: number } | undefined>): unknown[] {
  return results.map((result) => result?.seq ?? result?.kind);
}

test('a hot document does not wait for round trips: messages run on what is proposed (OneAtATime)', () => {
  const tokens = new TokenCluster({ seed: 1 }).start();
  tokens.run(500);
  tokens.cluster.weather.delayMsMax = 40;
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  const startMs = tokens.cluster.simulation.nowMs;
  for (let turn = 0; turn < 20; turn++) {
    for (let count = 0; count < 10; count++) client.send('a', 'append', leader);
    tokens.run(1);
  }
  tokens.settle();
  const tookMs = tokens.cluster.simulation.nowMs - startMs;
  assert.ok(tookMs < 200, `200 messages in ${tookMs} ms, a round trip takes up to 80`);
  assert.deepEqual(
    seqs(client.sendings.map(({ result }) => result)),
    Array.from({ length: 200 }, (_, at) => at + 1),
  );
  tokens.check();
});

test('many messages of a turn share an entry of the log', () => {
  const tokens = new TokenCluster({ seed: 1 }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  const sendAll = (): void => {
    for (let count = 0; count < 100; count++) client.send(`k${count}`, 'append', leader);
    tokens.settle();
  };
  // Documents come into memory by and by, and their messages with them.
  sendAll();
  const before = tokens.cluster.engine(leader).status().groups[1]!.lastIndex;
  sendAll();
  const after = tokens.cluster.engine(leader).status().groups[1]!.lastIndex;
  assert.ok(after - before <= 2, `${after - before} entries`);
  tokens.check();
});

test('rejected and empty messages write nothing, and show what ran before them (OneAtATime)', () => {
  const tokens = new TokenCluster({ seed: 3 }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  client.send('a', 'append', leader);
  client.send('a', 'refuse', leader);
  client.send('a', 'append', leader);
  client.send('a', 'look', leader);
  client.send('a', 'append_and_refuse', leader);
  client.send('a', 'look', leader);
  tokens.settle();
  const results = client.sendings.map(({ result }) => result!);
  assert.deepEqual(
    results.map((result) => (result.kind === 'failed' ? result.message : result.seq)),
    [1, '1', 2, 2, '2', 2],
  );
  const index = tokens.cluster.engine(leader).status().groups[1]!.lastIndex;
  client.send('a', 'look', leader);
  client.send('a', 'refuse', leader);
  client.send('nothing', 'look', leader);
  tokens.settle();
  assert.equal(tokens.cluster.engine(leader).status().groups[1]!.lastIndex, index);
  tokens.check();
});

test('answers come in the order of the messages, with a delta or without', () => {
  const tokens = new TokenCluster({ seed: 4 }).start();
  const leader = tokens.leaderOf('a');
  const order: number[] = [];
  const sink = { answer: (tag: number) => void order.push(tag), flush() {} };
  const channels = ['look', 'append', 'refuse', 'append', 'look', 'refuse'];
  const expiresMs = tokens.cluster.simulation.nowMs + 1000;
  const session = { name: '', openedAt: 0, settled: 0 };
  const payload = new TextEncoder().encode('{"token":"x"}');
  const submissions = channels.map((channel, tag) => {
    const rest = { principal: 'tests', session, number: 0, after: 0 };
    return {
      message: { space: TOKENS, key: 'a', channel, payload, ...rest },
      sink,
      tag,
      expiresMs,
    };
  });
  tokens.cluster.engine(leader).submit(submissions);
  tokens.run(500);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
});

test('a deposed leader answers no empty message from what may be lost (CommittedOnly)', () => {
  const tokens = new TokenCluster({ seed: 5 }).start();
  const client = tokens.client('c');
  const old = tokens.leaderOf('a');
  client.send('a', 'append', old);
  tokens.settle();
  tokens.cluster.setLinks(old, 'cut');
  // It still thinks that it leads, and runs these on a state that nobody else will ever have.
  client.send('a', 'append', old);
  client.send('a', 'look', old);
  client.send('a', 'refuse', old);
  tokens.run(100);
  assert.deepEqual(
    client.sendings.slice(1).map(({ result }) => result),
    [undefined, undefined, undefined],
  );
  const others = tokens.cluster.ids.filter((id) => id !== old);
  tokens.until(() => {
    const lead = tokens.cluster.engine(others[0]!).leaderOf(TOKENS, 'a');
    return lead !== 0 && lead !== old;
  });
  const second = tokens.client('d');
  second.send('a', 'append', others[0]);
  tokens.until(() => second.openCount === 0);
  tokens.heal();
  tokens.settle();
  tokens.check();
});

test('a leader that slept through the next election shows nobody its old state (CommittedOnly)', () => {
  for (const channel of ['look', 'refuse'] as const) {
    const tokens = new TokenCluster({ seed: 5 }).start();
    const client = tokens.client('c');
    const old = tokens.leaderOf('a');
    client.send('a', 'append', old);
    tokens.settle();
    tokens.cluster.setLinks(old, 'cut');
    tokens.cluster.pause(old);
    const [other] = tokens.cluster.ids.filter((id) => id !== old);
    tokens.until(() => {
      const lead = tokens.cluster.engine(other!).leaderOf(TOKENS, 'a');
      return lead !== 0 && lead !== old;
    });
    client.send('a', 'append', other);
    tokens.settle();
    // It wakes and believes that it leads, until the others say that they have another one.
    const late = client.send('a', channel, old);
    client.read('a', { kind: 'linearizable' });
    tokens.cluster.setLinks(old, 'whole');
    tokens.cluster.resume(old);
    tokens.settle();
    assert.ok(late.attempts > 1, 'it could not answer that');
    tokens.check();
  }
});

test('what a lost leadership had in flight is dropped, and the next one starts from the log', () => {
  const tokens = new TokenCluster({ seed: 6 }).start();
  const client = tokens.client('c');
  const old = tokens.leaderOf('a');
  client.send('a', 'append', old);
  tokens.settle();
  tokens.cluster.setLinks(old, 'cut');
  for (let count = 0; count < 5; count++) client.send('a', 'append', old);
  tokens.run(2500);
  tokens.cluster.setLinks(old, 'whole');
  // It must not run on its own overlay when it leads again.
  tokens.cluster.awaitLeaders();
  tokens.settle();
  for (const id of tokens.followersOf('a')) if (id !== old) tokens.cluster.crash(id);
  tokens.check();
  const late = client.send('a', 'append');
  tokens.settle();
  assert.equal(late.result?.kind === 'accepted' && late.result.seq, 7);
  tokens.check();
});

test('followers never run a handler, and no message runs twice without need (OnlyLeadersRunLogic)', () => {
  let ran = 0;
  const tokens = new TokenCluster({ seed: 7, ran: () => ran++ }).start();
  const client = tokens.client('c');
  for (let count = 0; count < 30; count++) client.send(`k${count % 3}`, 'append');
  tokens.settle();
  tokens.run(500);
  assert.equal(ran, 30);
  const executed = tokens.cluster.engines().map((engine) => engine.status().counters);
  const leader = tokens.leaderOf('k0');
  for (const [at, { messagesExecuted, deltasApplied }] of executed.entries()) {
    const isLeader = at + 1 === leader;
    assert.ok(deltasApplied >= 30);
    if (!isLeader) assert.ok(messagesExecuted < 10, 'only deployments may have run here');
  }
  tokens.check();
});

test('a message for another node’s group is passed on, and its answer comes back', () => {
  const tokens = new TokenCluster({ seed: 8 }).start();
  const client = tokens.client('c');
  const [follower] = tokens.followersOf('a');
  const before = tokens.cluster.engine(follower!).status().counters.messagesForwarded;
  for (let count = 0; count < 5; count++) client.send('a', 'append', follower);
  client.send('a', 'refuse', follower);
  tokens.settle();
  assert.equal(tokens.cluster.engine(follower!).status().counters.messagesForwarded - before, 6);
  assert.equal(
    client.sendings.every(({ attempts }) => attempts === 1),
    true,
  );
  tokens.check();
});

test('a message whose leader dies on the way is given back, and takes effect once', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const tokens = new TokenCluster({ seed }).start();
    const client = tokens.client('c');
    const leader = tokens.leaderOf('a');
    const [follower] = tokens.followersOf('a');
    for (let count = 0; count < 5; count++) client.send('a', 'append', follower);
    tokens.run(0.3 * seed);
    tokens.cluster.crash(leader);
    tokens.settle();
    tokens.check();
  }
});

test('a space without a machine, and a channel that the machine has not, are said to be so', () => {
  const tokens = new TokenCluster({ seed: 9 }).start();
  const got: string[] = [];
  const sink = {
    answer: (_tag: number, result: { kind: string; code?: string }) =>
      void got.push(result.code ?? result.kind),
    flush() {},
  };
  const session = { name: '', openedAt: 0, settled: 0 };
  const rest = { payload: new Uint8Array(0), principal: 'x', session, number: 0, after: 0 };
  const expiresMs = tokens.cluster.simulation.nowMs + 1000;
  const at = { key: 'a', ...rest };
  tokens.cluster.engine(1).submit([
    { message: { space: 'none', channel: 'append', ...at }, sink, tag: 0, expiresMs },
    { message: { space: TOKENS, channel: 'other', ...at }, sink, tag: 1, expiresMs },
  ]);
  tokens.run(500);
  assert.deepEqual(got.sort(), ['CHANNEL_NOT_FOUND', 'SPACE_NOT_FOUND']);
});
