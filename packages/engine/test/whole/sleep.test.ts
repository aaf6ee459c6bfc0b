import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId } from '@deltabase/engine';
import { TOKEN_MODULES, TokenCluster } from '@deltabase/testkit';

const LIMITS = { idleSleepMs: 500, flushIntervalMs: 200 };
/** Within this time a group whose leader is gone has another one: noticing it, two elections, and their messages. */
const FAILOVER_MS = 3000;

function setUp({ seed = 1, groups = 1, nodes = 3, limits = {} } = {}): TokenCluster {
  return new TokenCluster({ seed, groups, nodes, limits: { ...LIMITS, ...limits } }).start();
}

/** Copies of group 1 and up that sleep, on nodes that run. */
function sleepers(tokens: TokenCluster): number {
  const copies = tokens.cluster.engines().flatMap((engine) => engine.status().groups);
  return copies.filter(({ asleep }) => asleep).length;
}

/** Waits until every copy of every group sleeps on the nodes that run. */
function untilAsleep(tokens: TokenCluster, groups = 1): void {
  tokens.until(() => sleepers(tokens) === (groups + 1) * tokens.cluster.engines().length);
}

/** Waits until every copy sleeps, led where it should be, and then for so long that nothing is fresh any more. */
function sleepDeeply(tokens: TokenCluster, groups = 1): void {
  tokens.run(5000);
  untilAsleep(tokens, groups);
  tokens.run(60_000);
  untilAsleep(tokens, groups);
}

function groupAt(tokens: TokenCluster, node: NodeId, group = 1) {
  return tokens.cluster.engine(node).status().groups[group]!;
}

/** The leader of group 1 as the nodes say that are not `without`; 0 unless they agree. */
function agreedLeader(tokens: TokenCluster, without: NodeId): NodeId {
  const others = tokens.cluster.ids.filter((id) => id !== without && tokens.cluster.isUp(id));
  const leads = others.map((id) => groupAt(tokens, id).lead);
  return leads.every((lead) => lead === leads[0] && lead !== without) ? leads[0]! : 0;
}

test('groups at rest sleep everywhere, and their nodes say nothing but that they are there', () => {
  const tokens = setUp({ groups: 5 });
  // Until the leaders are where they should be.
  tokens.run(10_000);
  untilAsleep(tokens, 5);
  const before = tokens.cluster.engines().map((engine) => engine.status());
  tokens.run(60_000);
  for (const [at, engine] of tokens.cluster.engines().entries()) {
    const { counters, groups } = engine.status();
    const { counters: then, groups: groupsThen } = before[at]!;
    assert.equal(counters.groupsAsleep, 6);
    assert.deepEqual(groups, groupsThen);
    // A beat to each of two peers every 200 ms, and hardly a byte for groups in it.
    const frames = counters.peerFramesSent - then.peerFramesSent;
    assert.ok(frames >= 590 && frames <= 600, `${frames} frames`);
    assert.ok((counters.peerBytesSent - then.peerBytesSent) / frames < 100);
    assert.equal(counters.diskWrites, then.diskWrites);
  }
  tokens.check();
});

test('while any group is awake its node beats twice as often', () => {
  const tokens = setUp({ limits: { idleSleepMs: 60_000 } });
  tokens.run(5000);
  const sent = () => tokens.cluster.engines().map((it) => it.status().counters.peerFramesSent);
  const before = sent();
  tokens.run(10_000);
  for (const [at, frames] of sent().entries()) assert.ok(frames - before[at]! >= 195);
  tokens.check();
});

test('a message wakes its group at once, and the group only; later it sleeps again', () => {
  const tokens = setUp({ groups: 3 });
  sleepDeeply(tokens, 3);
  const client = tokens.client('c');
  const group = tokens.groupOf('a');
  const { term } = groupAt(tokens, 1, group);
  const from = tokens.cluster.simulation.nowMs;
  client.send('a', 'append', 1);
  tokens.settle();
  assert.ok(tokens.cluster.simulation.nowMs - from < 30, 'nobody waits for a tick');
  tokens.run(200);
  for (const engine of tokens.cluster.engines()) {
    const awake = engine.status().groups.filter(({ asleep }) => !asleep);
    assert.deepEqual(
      awake.map((one) => one.group),
      [group],
    );
  }
  untilAsleep(tokens, 3);
  assert.equal(groupAt(tokens, 1, group).term, term, 'to wake deposes nobody');
  tokens.check();
});

test('a fresh read wakes its group, a stale one does not', () => {
  const tokens = setUp();
  tokens.client('c').send('a', 'append');
  untilAsleep(tokens);
  const [follower] = tokens.followersOf('a');
  assert.deepEqual(tokens.valueAt(follower!, 'a', { mode: { kind: 'stale' } }).json, ['c-1']);
  assert.equal(sleepers(tokens), 6);
  assert.deepEqual(tokens.valueAt(follower!, 'a').json, ['c-1']);
  assert.ok(!groupAt(tokens, tokens.leaderOf('a')).asleep);
  untilAsleep(tokens);
  tokens.check();
});

test('a deployment wakes every group and reaches it', () => {
  const tokens = setUp({ groups: 4 });
  untilAsleep(tokens, 4);
  const result = tokens.deploy(TOKEN_MODULES[1]!);
  assert.equal(result.kind, 'deployed');
  untilAsleep(tokens, 4);
  tokens.check();
});

for (const [how, end] of [
  ['crashes', (tokens, id) => tokens.cluster.crash(id)],
  ['is cut off without a sign', (tokens, id) => tokens.cluster.setLinks(id, 'cut')],
  ['stands still', (tokens, id) => tokens.cluster.pause(id)],
  [
    'can be heard no more, but hears',
    (tokens, id) => {
      for (const to of tokens.cluster.ids) if (to !== id) tokens.cluster.setLink(id, to, 'cut');
    },
  ],
] as ReadonlyArray<readonly [string, (tokens: TokenCluster, id: NodeId) => void]>) {
  test(`asleep beside a leader whose node ${how}, the others elect another one (pitfall 23)`, () => {
    for (let seed = 1; seed <= 10; seed++) {
      const tokens = setUp({ seed });
      const client = tokens.client('c');
      client.send('a', 'append');
      untilAsleep(tokens);
      tokens.run(10_000);
      const before = tokens.leaderOf('a');
      end(tokens, before);
      tokens.until(() => agreedLeader(tokens, before) !== 0, FAILOVER_MS);
      client.send('a', 'append', agreedLeader(tokens, before));
      tokens.until(() => client.sendings.every(({ result }) => result?.kind === 'accepted'), 3000);
      tokens.check();
    }
  });
}

test('a leader asleep that is cut off wakes and steps down, for itself', () => {
  const tokens = setUp();
  sleepDeeply(tokens);
  const leader = tokens.leaderOf('a');
  tokens.cluster.setLinks(leader, 'cut');
  tokens.until(() => groupAt(tokens, leader).role !== 'leader', FAILOVER_MS);
  tokens.check();
});

test('a leader asleep goes on without a peer that is away, and not without a quorum', () => {
  const tokens = setUp({ nodes: 5 });
  sleepDeeply(tokens);
  const leader = tokens.leaderOf('a');
  const { term } = groupAt(tokens, leader);
  const [first, second, third] = tokens.followersOf('a');
  tokens.cluster.crash(first!);
  tokens.cluster.setLinks(second!, 'cut');
  tokens.run(20_000);
  const { asleep, role } = groupAt(tokens, leader);
  assert.deepEqual([asleep, role], [true, 'leader'], 'three of five are enough');
  assert.equal(groupAt(tokens, leader).term, term);
  tokens.cluster.crash(third!);
  tokens.until(() => groupAt(tokens, leader).role !== 'leader', FAILOVER_MS);
  tokens.check();
});

test('who comes back while all others sleep is woken up to what it missed, from the log or by a snapshot', () => {
  for (const trailingLogBytesMax of [2 ** 20, 0]) {
    const limits = { trailingLogBytesMax, heldLogBytesMax: 0, flushIntervalMs: 50 };
    const tokens = setUp({ limits });
    const client = tokens.client('c');
    client.send('a', 'append');
    sleepDeeply(tokens);
    const [away, here] = tokens.followersOf('a');
    tokens.cluster.crash(away!);
    for (let count = 0; count < 20; count++) {
      client.send('a', 'append', here);
      tokens.run(100);
    }
    tokens.settle();
    untilAsleep(tokens);
    tokens.run(30_000);
    assert.equal(sleepers(tokens), 4, 'the two that are left sleep without it');
    const { lastIndex } = groupAt(tokens, here!);
    tokens.cluster.startNode(away!);
    tokens.until(() => tokens.cluster.isUp(away!));
    tokens.until(() => groupAt(tokens, away!).applied === lastIndex, FAILOVER_MS);
    untilAsleep(tokens);
    tokens.check();
  }
});

test('a follower that restarts at once learns who leads, and nobody else is elected', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const tokens = setUp({ seed });
    sleepDeeply(tokens);
    const leader = tokens.leaderOf('a');
    const { term } = groupAt(tokens, leader);
    const [follower] = tokens.followersOf('a');
    tokens.cluster.crash(follower!);
    tokens.cluster.startNode(follower!);
    tokens.until(() => tokens.cluster.isUp(follower!));
    tokens.until(() => groupAt(tokens, follower!).lead === leader, 500);
    untilAsleep(tokens);
    assert.equal(groupAt(tokens, leader).term, term);
    tokens.check();
  }
});

test('a leader that restarts so fast that nobody misses it is replaced, or elected again', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const tokens = setUp({ seed });
    sleepDeeply(tokens);
    const leader = tokens.leaderOf('a');
    const { term } = groupAt(tokens, leader);
    tokens.cluster.crash(leader);
    tokens.cluster.startNode(leader);
    tokens.until(() => tokens.cluster.isUp(leader));
    tokens.until(() => {
      const groups = tokens.cluster.ids.map((id) => groupAt(tokens, id));
      return groups.every((group) => group.lead === groups[0]!.lead && group.term > term);
    }, FAILOVER_MS);
    tokens.check();
  }
});

test('a follower that loses sight of the leader alone does not have it replaced, though all sleep', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const tokens = setUp({ seed });
    sleepDeeply(tokens);
    const leader = tokens.leaderOf('a');
    const { term } = groupAt(tokens, leader);
    const [blind] = tokens.followersOf('a');
    for (const state of ['cut', 'whole'] as const) {
      tokens.cluster.setLink(leader, blind!, state);
      tokens.cluster.setLink(blind!, leader, state);
      tokens.run(20_000);
      assert.deepEqual(
        [groupAt(tokens, leader).term, groupAt(tokens, leader).role],
        [term, 'leader'],
      );
    }
    assert.equal(groupAt(tokens, blind!).lead, leader);
    untilAsleep(tokens);
    tokens.check();
  }
});

test('asleep beside a leader whose disk stops answering, the others elect another one, though it beats', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const tokens = setUp({ seed, groups: 2 });
    sleepDeeply(tokens, 2);
    const leader = tokens.leaderOf('a');
    const key = ['a', 'b', 'c', 'd'].find((one) => tokens.groupOf(one) !== tokens.groupOf('a'))!;
    // Its disk hangs while it writes for another group; what it says of that to this one is lost.
    tokens.cluster.setDisk(leader, 'hung');
    const other = tokens.client('c');
    other.send(key, 'append', leader);
    const group = tokens.groupOf('a');
    tokens.until(() => groupAt(tokens, leader, group).role !== 'leader', 4000);
    const others = tokens.cluster.ids.filter((id) => id !== leader);
    const leads = (): NodeId[] => others.map((id) => groupAt(tokens, id, group).lead);
    tokens.until(
      () => leads().every((lead) => lead === leads()[0] && others.includes(lead)),
      FAILOVER_MS,
    );
    tokens.check();
  }
});

test('a machine that slept with all its nodes wakes with the leaders that it had (pitfall 21)', () => {
  const tokens = setUp({ groups: 3 });
  sleepDeeply(tokens, 3);
  const before = tokens.cluster.engine(1).status().groups;
  for (const id of tokens.cluster.ids) tokens.cluster.pause(id);
  tokens.run(3_600_000);
  for (const id of tokens.cluster.ids) tokens.cluster.resume(id);
  tokens.run(10_000);
  untilAsleep(tokens, 3);
  assert.deepEqual(
    tokens.cluster
      .engine(1)
      .status()
      .groups.map(({ term, lead }) => [term, lead]),
    before.map(({ term, lead }) => [term, lead]),
  );
  tokens.check();
});

test('leaders that sleep at the wrong node move when the right one is back', () => {
  const tokens = setUp({ groups: 6 });
  sleepDeeply(tokens, 6);
  const leaders = (): number[] => tokens.cluster.engine(1).leaders();
  const before = leaders();
  tokens.cluster.crash(3);
  tokens.until(() => !leaders().includes(3), FAILOVER_MS);
  untilAsleep(tokens, 6);
  tokens.cluster.startNode(3);
  tokens.until(() => leaders().join() === before.join(), 20_000);
  untilAsleep(tokens, 6);
  tokens.check();
});

test('hundreds of groups that lose their leader do not campaign all at once', () => {
  const groups = 60;
  let campaigns: string[] | undefined;
  const tokens = new TokenCluster({
    seed: 3,
    groups,
    limits: LIMITS,
    trace: (line) => {
      if (line.includes('"role":"preCandidate"')) campaigns?.push(line);
    },
  }).start();
  sleepDeeply(tokens, groups);
  campaigns = [];
  // It takes time to be noticed, and then everybody knows at the same moment.
  const led = tokens.cluster
    .engine(1)
    .leaders()
    .filter((lead) => lead === 1).length;
  assert.ok(led >= 18, `${led} groups are led by node 1`);
  const from = tokens.cluster.simulation.nowMs;
  tokens.cluster.setLinks(1, 'cut');
  const leaders = (id: NodeId): number[] => tokens.cluster.engine(id).leaders();
  tokens.until(() => [2, 3].every((id) => leaders(id).every((lead) => lead > 1)), FAILOVER_MS);
  const perTick = new Map<string, number>();
  for (const line of campaigns) {
    if (line.includes(' n1 ')) continue;
    const tick = `node ${line.includes(' n2 ') ? 2 : 3} tick ${Math.floor((Number.parseFloat(line) - from) / 50)}`;
    perTick.set(tick, (perTick.get(tick) ?? 0) + 1);
  }
  for (const [tick, count] of perTick) assert.ok(count <= led / 3, `${tick}: ${count} of ${led}`);
  assert.ok(perTick.size >= 8);
  tokens.check();
});
