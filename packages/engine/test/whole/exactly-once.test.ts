import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenCluster } from '@deltabase/testkit';

test('a retry gets the first answer, at any node and from any later leader (AckedIsDurable)', () => {
  const tokens = new TokenCluster({ seed: 1 }).start();
  const client = tokens.client('c');
  const first = client.send('a', 'append');
  client.send('a', 'append');
  tokens.settle();
  const { result } = first;
  for (const id of tokens.cluster.ids) client.retry(first, id);
  tokens.run(200);
  tokens.cluster.crash(tokens.leaderOf('a'));
  tokens.cluster.awaitLeaders();
  for (const id of tokens.cluster.ids.filter((each) => tokens.cluster.isUp(each))) {
    client.retry(first, id);
  }
  tokens.run(200);
  // The client holds every answer against the first; none of the retries took effect.
  assert.ok(first.attempts >= 5 && result?.kind === 'accepted');
  tokens.check();
  assert.equal(tokens.valueAt(1, 'a').seq, 2);
});

test('a retry gets the first answer after all nodes were restarted from disk (AckedIsDurable)', () => {
  for (const flushIntervalMs of [10, 1_000_000]) {
    const tokens = new TokenCluster({ seed: 2, limits: { flushIntervalMs } }).start();
    const client = tokens.client('c');
    const sent = [1, 2, 3].map(() => client.send('a', 'append'));
    tokens.settle();
    tokens.run(1000);
    for (const id of tokens.cluster.ids) tokens.cluster.crash(id);
    for (const id of tokens.cluster.ids) tokens.cluster.startNode(id);
    tokens.cluster.awaitLeaders();
    for (const sending of sent) client.retry(sending);
    tokens.run(300);
    tokens.check();
    assert.equal(tokens.valueAt(1, 'a').seq, 3, `flushed every ${flushIntervalMs} ms`);
  }
});

test('a message that was answered survives the crash of its leader at that very moment', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const tokens = new TokenCluster({ seed }).start();
    const client = tokens.client('c');
    const leader = tokens.leaderOf('a');
    for (let count = 0; count < 5; count++) client.send('a', 'append', leader);
    tokens.until(() => client.sendings[seed % 5]!.result !== undefined);
    tokens.cluster.crash(leader);
    tokens.settle();
    tokens.check();
  }
});

test('nothing is answered while the entry is on no other disk (AckedIsDurable)', () => {
  const tokens = new TokenCluster({ seed: 3 }).start();
  const leader = tokens.leaderOf('a');
  for (const id of tokens.followersOf('a')) tokens.cluster.setLink(id, leader, 'cut');
  const client = tokens.client('c');
  const sending = client.send('a', 'append', leader);
  const silent = client.send('a', 'look', leader);
  const refused = client.send('a', 'refuse', leader);
  // The lease of the leader has not run out yet, and it has executed all of them.
  tokens.run(300);
  assert.equal(tokens.cluster.engine(leader).status().groups[1]!.role, 'leader');
  assert.equal(tokens.cluster.engine(leader).status().counters.messagesExecuted >= 3, true);
  for (const one of [sending, silent, refused]) assert.equal(one.result, undefined);
  tokens.heal();
  tokens.settle();
  tokens.check();
});

test('nothing is answered that is on the disk of no quorum, however slow the disks are', () => {
  const tokens = new TokenCluster({ seed: 4 }).start();
  tokens.run(500);
  const client = tokens.client('c');
  tokens.cluster.weather.writeMsMax = 0;
  tokens.run(10);
  const leader = tokens.leaderOf('a');
  const followers = tokens.followersOf('a');
  for (const id of followers) tokens.cluster.failDisk(id);
  client.send('a', 'append', leader);
  tokens.run(200);
  assert.equal(client.sendings[0]!.result, undefined);
  assert.ok(
    followers.every((id) => !tokens.cluster.isUp(id)),
    'a failed disk ends its node',
  );
  tokens.check();
});

test('messages of one client to one document keep their order through crashes (OneAtATime)', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const tokens = new TokenCluster({ seed }).start();
    const client = tokens.client('c', { ordered: true });
    tokens.cluster.weather.dropRate = 0.05;
    for (let round = 0; round < 8; round++) {
      for (let count = 0; count < 5; count++) client.send('a', 'append');
      tokens.run(40);
      if (round % 4 === 1) {
        const leader = tokens.cluster.engines()[0]!.leaderOf('tokens', 'a');
        if (leader !== 0 && tokens.cluster.isUp(leader)) tokens.cluster.crash(leader);
      }
      if (round % 4 === 3) {
        for (const id of tokens.cluster.ids) {
          if (!tokens.cluster.isRunning(id)) tokens.cluster.startNode(id);
        }
      }
    }
    tokens.check();
    const { json } = tokens.valueAt(1, 'a');
    const sent = client.sendings.map(({ token }) => token);
    assert.deepEqual(json, sent, `seed ${seed}`);
  }
});

test('a number that is used for two documents is an error, in flight and afterwards', () => {
  const tokens = new TokenCluster({ seed: 5 }).start();
  const client = tokens.client('c');
  const leader = tokens.leaderOf('a');
  const sending = client.send('a', 'append', leader);
  const got: string[] = [];
  const again = (): void => {
    const sink = {
      answer: (_tag: number, result: { kind: string; code?: string }) =>
        void got.push(result.code ?? result.kind),
      flush() {},
    };
    const session = { name: 'c', openedAt: 1_700_000_000_000, settled: 1 };
    const payload = new TextEncoder().encode('{"token":"x"}');
    const rest = { principal: 'tests', session, number: sending.number, after: 0 };
    const message = { space: 'tokens', key: 'b', channel: 'append', payload, ...rest };
    const expiresMs = tokens.cluster.simulation.nowMs + 1000;
    tokens.cluster.engine(leader).submit([{ message, sink, tag: 0, expiresMs }]);
  };
  again();
  tokens.settle();
  again();
  tokens.run(200);
  assert.deepEqual(got, ['INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
  tokens.check();
});
