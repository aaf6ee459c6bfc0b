import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type HeartbeatMessage,
  type PeerStatus,
  type Role,
  type Status,
  votersOnly,
} from 'raft-ts';
import { Sleep } from '../../src/groups/sleep.js';

const IDLE_MS = 1000;
const CALM = { isCalm: true };

/** A group of nodes 1, 2 and 3 at node 1; it leads, or follows 2. */
function setUp(role: Role = 'leader') {
  const peer = (id: number): PeerStatus => ({
    id,
    match: 7,
    next: 8,
    state: 'replicate',
    isLearner: false,
    paused: false,
    inflight: 0,
    pendingSnapshot: 0,
    recentActive: true,
    damaged: false,
  });
  const peers = [peer(1), peer(2), peer(3)];
  const status = {
    ...{ id: 1, term: 4, vote: 0, role, lead: role === 'leader' ? 1 : 2 },
    ...{ commit: 7, applied: 7, firstIndex: 1, lastIndex: 7, leadTransferee: 0, damaged: false },
    ...{ uncommittedBytes: 0, applyingBytes: 0, pendingReads: 0 },
    conf: votersOnly([1, 2, 3]),
    progress: role === 'leader' ? peers : [],
  };
  const world = {
    status: status as Status,
    peers,
    live: new Set([2, 3]),
    abstaining: new Set<number>(),
    silentTicks: 0,
    abstains: false,
    hasReady: false,
    isAtRest: true,
    ticks: 0,
    told: [] as string[],
  };
  const sleep = new Sleep({
    self: 1,
    raft: {
      basicStatus: () => world.status,
      status: () => world.status,
      hasReady: () => world.hasReady,
      tick: () => {
        world.ticks++;
      },
    },
    peers: {
      isLive: (id) => world.live.has(id),
      silentTicks: () => world.silentTicks,
      isAbstaining: (id) => world.abstaining.has(id),
    },
    idleSleepMs: IDLE_MS,
    electionTicks: 10,
    abstains: () => world.abstains,
    isAtRest: (index) => world.isAtRest && index === 7,
    fellAsleep: () => void world.told.push('asleep'),
    woke: (why) => void world.told.push(why),
    tellLeader: ({ to, term, readRound }) =>
      void world.told.push(`tells ${to} ${term} ${readRound}`),
  });
  return { sleep, world };
}

type World = ReturnType<typeof setUp>['world'];

/** What is otherwise than it was. */
interface Change extends Partial<Pick<World, 'hasReady' | 'isAtRest' | 'abstains'>> {
  readonly status?: Partial<Status>;
  /** Of node 2. */
  readonly peer?: Partial<PeerStatus>;
  readonly live?: readonly number[];
  readonly abstaining?: readonly number[];
  /** Rounds of reads that have begun. */
  readonly rounds?: number;
}

function apply(world: World, { status, peer, live, abstaining, rounds, ...rest }: Change): void {
  Object.assign(world.status, status);
  Object.assign(world.peers[1]!, peer);
  if (live !== undefined) world.live = new Set(live);
  if (abstaining !== undefined) world.abstaining = new Set(abstaining);
  Object.assign(world, rest);
}

function heartbeat(changes: Partial<HeartbeatMessage> = {}): HeartbeatMessage {
  const to = { type: 'heartbeat', from: 2, to: 1, term: 4 } as const;
  return { ...to, commit: 7, match: 7, readRound: 0, ...changes };
}

function answer(sleep: Sleep, from: number, sleepsAt = 7, term = 4): void {
  const said = { readRound: 0, damaged: false };
  sleep.answered({ type: 'heartbeatResponse', from, to: 1, term, ...said }, sleepsAt);
}

/** A leader that offers sleep. */
function offering(change: Change = {}) {
  const { sleep, world } = setUp();
  apply(world, change);
  sleep.look(0, 0);
  sleep.look(IDLE_MS, 0);
  return { sleep, world };
}

/** A leader that sleeps. */
function asleep() {
  const { sleep, world } = offering();
  answer(sleep, 2);
  answer(sleep, 3);
  sleep.turn();
  assert.ok(sleep.isAsleep);
  return { sleep, world };
}

/** A follower that sleeps. */
function taken() {
  const { sleep, world } = setUp('follower');
  sleep.beaten(heartbeat(), true);
  assert.equal(sleep.answer(CALM), 7);
  return { sleep, world };
}

test('a leader offers sleep once nothing has happened for long enough, to peers that have all of its log', () => {
  const { sleep } = setUp();
  sleep.look(0, 0);
  sleep.look(IDLE_MS - 1, 0);
  assert.ok(!sleep.offers(heartbeat()));
  sleep.look(IDLE_MS, 0);
  assert.ok(sleep.offers(heartbeat()));
  assert.ok(!sleep.offers(heartbeat({ commit: 6, match: 6 })));
  assert.ok(!sleep.offers(heartbeat({ commit: 7, match: 8 })));
});

test('whatever happens begins the wait anew: an entry, a read, another term, work under way', () => {
  const changes: readonly Change[] = [
    { status: { commit: 8, applied: 8, lastIndex: 8 } },
    { rounds: 1 },
    { status: { term: 5 } },
    { isAtRest: false },
    { abstains: true },
    { status: { applied: 6 } },
    { status: { commit: 6 } },
    { status: { leadTransferee: 3 } },
    { status: { damaged: true } },
    { status: { role: 'follower', lead: 2 } },
  ];
  for (const change of changes) {
    const { sleep, world } = offering();
    apply(world, change);
    sleep.look(IDLE_MS + 250, change.rounds ?? 0);
    assert.ok(!sleep.offers(heartbeat()), JSON.stringify(change));
    for (const id of [2, 3]) answer(sleep, id);
    sleep.turn();
    assert.ok(!sleep.isAsleep, JSON.stringify(change));
  }
});

test('the leader falls asleep when all others do, at the end of its log', () => {
  const { sleep, world } = offering();
  sleep.turn();
  answer(sleep, 2);
  sleep.turn();
  answer(sleep, 3, 6);
  sleep.turn();
  answer(sleep, 3, 7, 3);
  sleep.turn();
  assert.ok(!sleep.isAsleep);
  answer(sleep, 3);
  answer(sleep, 2, 0);
  sleep.turn();
  assert.ok(!sleep.isAsleep, 'the other one has woken since');
  answer(sleep, 2);
  sleep.turn();
  assert.ok(sleep.isAsleep);
  assert.deepEqual(world.told, ['asleep']);
  assert.ok(!sleep.offers(heartbeat()), 'reads may make it speak');
});

test('a leader does not fall asleep with anything in its way', () => {
  const changes: readonly Change[] = [
    { peer: { match: 6 } },
    { peer: { state: 'probe' } },
    { peer: { recentActive: false } },
    { peer: { damaged: true } },
    { status: { conf: { ...votersOnly([1, 2, 3]), votersOutgoing: [1, 2] } } },
    { status: { lastIndex: 8 } },
    { status: { term: 5 } },
    { status: { applied: 6 } },
    { hasReady: true },
    { isAtRest: false },
    { abstains: true },
    { live: [] },
  ];
  for (const change of changes) {
    const { sleep, world } = offering();
    answer(sleep, 2);
    answer(sleep, 3);
    apply(world, change);
    if (world.live.size === 0) for (const id of [2, 3]) sleep.peerLost(id);
    sleep.turn();
    assert.ok(!sleep.isAsleep, JSON.stringify(change));
  }
});

test('members that are away are not waited for, as long as there is a quorum', () => {
  const { sleep } = offering({ live: [2] });
  answer(sleep, 2);
  sleep.turn();
  assert.ok(sleep.isAsleep);
  const alone = offering({ live: [] });
  alone.sleep.turn();
  assert.ok(!alone.sleep.isAsleep);
  const half = offering({ live: [2], status: { conf: votersOnly([1, 2, 3, 4]) } });
  answer(half.sleep, 2);
  half.sleep.turn();
  assert.ok(!half.sleep.isAsleep, 'half of them is no quorum (pitfall 16)');
  const single = offering({ status: { conf: votersOnly([1]), progress: [] } });
  single.sleep.turn();
  assert.ok(single.sleep.isAsleep, 'a node alone needs nobody');
});

test('a learner sleeps too, and is waited for', () => {
  const { sleep, world } = offering();
  apply(world, { status: { conf: { ...votersOnly([1, 2]), learners: [3] } } });
  answer(sleep, 2);
  sleep.turn();
  assert.ok(!sleep.isAsleep);
  answer(sleep, 3);
  sleep.turn();
  assert.ok(sleep.isAsleep);
});

test('a leader asleep wakes for what is done with its group, at the end of the turn', () => {
  const changes: readonly Change[] = [
    { status: { lastIndex: 8 } },
    { status: { term: 5 } },
    { status: { role: 'follower', lead: 0 } },
    { status: { leadTransferee: 2 } },
    { hasReady: true },
    { isAtRest: false },
    { abstains: true },
  ];
  for (const change of changes) {
    const { sleep, world } = asleep();
    sleep.turn();
    assert.ok(sleep.isAsleep);
    apply(world, change);
    sleep.turn();
    assert.ok(!sleep.isAsleep, JSON.stringify(change));
    assert.deepEqual([world.told.at(-1), world.ticks], ['unrest', 0]);
  }
});

test('a leader asleep wakes when a peer does, when one returns, or when its quorum is gone', () => {
  const woken = asleep();
  answer(woken.sleep, 2, 0);
  assert.deepEqual(woken.world.told, ['asleep', 'peer-awake']);
  const back = asleep();
  back.sleep.peerLost(3);
  back.world.live.delete(3);
  back.sleep.turn();
  answer(back.sleep, 2);
  answer(back.sleep, 2, 0, 3);
  assert.ok(back.sleep.isAsleep, 'two of three are a quorum');
  back.world.live.add(3);
  back.sleep.turn();
  assert.ok(!back.sleep.isAsleep);
  const flicker = asleep();
  flicker.sleep.peerLost(3);
  flicker.sleep.turn();
  assert.ok(!flicker.sleep.isAsleep, 'it was lost and is back: what it knows is not known');
  const lonely = asleep();
  for (const id of [2, 3]) {
    lonely.world.live.delete(id);
    lonely.sleep.peerLost(id);
  }
  lonely.sleep.turn();
  assert.ok(!lonely.sleep.isAsleep);
});

test('a follower takes the sleep that it is offered, and tells so with every answer', () => {
  const { sleep, world } = taken();
  assert.deepEqual(world.told, ['asleep']);
  sleep.beaten(heartbeat(), true);
  assert.equal(sleep.answer(CALM), 7);
  sleep.turn();
  assert.ok(sleep.isAsleep);
});

test('a follower does not take sleep that is not offered, elsewhere, or with anything in its way', () => {
  const changes: readonly Change[] = [
    { status: { lastIndex: 8 } },
    { status: { term: 5 } },
    { status: { lead: 3 } },
    { status: { role: 'preCandidate' } },
    { status: { applied: 6 } },
    { status: { damaged: true } },
    { hasReady: true },
    { isAtRest: false },
    { live: [3] },
    { abstaining: [2] },
  ];
  for (const change of changes) {
    const { sleep, world } = setUp('follower');
    sleep.beaten(heartbeat(), true);
    apply(world, change);
    assert.equal(sleep.answer(CALM), 0, JSON.stringify(change));
    assert.ok(!sleep.isAsleep, JSON.stringify(change));
  }
  const { sleep } = setUp('follower');
  sleep.beaten(heartbeat(), false);
  assert.equal(sleep.answer(CALM), 0);
  sleep.beaten(heartbeat(), true);
  assert.equal(sleep.answer({ isCalm: false }), 0);
  assert.equal(sleep.answer(CALM), 0, 'an offer is good for one answer');
});

test('any heartbeat but that offer wakes a follower, without a word to the leader', () => {
  for (const [message, offersSleep] of [
    [heartbeat(), false],
    [heartbeat({ commit: 6, match: 7 }), true],
    [heartbeat({ term: 5 }), true],
  ] as const) {
    const { sleep, world } = taken();
    sleep.beaten(message, offersSleep);
    assert.ok(!sleep.isAsleep);
    assert.deepEqual(world.told, ['asleep', 'message']);
  }
});

test('a follower that others wake tells the leader, and gets the ticks for which that was silent', () => {
  const { sleep, world } = taken();
  world.silentTicks = 3;
  sleep.heard(3);
  assert.deepEqual(world.told, ['asleep', 'message', 'tells 2 4 0']);
  assert.equal(world.ticks, 3);
  sleep.heard(3);
  assert.equal(world.ticks, 3);
});

test('it tells the leader with every tick, until it hears of it or follows it no more', () => {
  const told = (world: World): number => world.told.filter((line) => line === 'tells 2 4 0').length;
  const { sleep, world } = taken();
  sleep.tick();
  assert.equal(told(world), 0);
  sleep.heard(3);
  for (let tick = 0; tick < 3; tick++) sleep.tick();
  assert.equal(told(world), 4);
  sleep.beaten(heartbeat(), false);
  sleep.tick();
  assert.equal(told(world), 4);
  const other = taken();
  other.sleep.heard(3);
  apply(other.world, { status: { lead: 0 } });
  other.sleep.tick();
  assert.equal(told(other.world), 1);
  const lost = taken();
  lost.sleep.peerLost(2);
  lost.sleep.tick();
  assert.equal(told(lost.world), 0, 'who is lost is not told');
});

test('a follower whose leader is lost wakes as if it had missed its heartbeats, up to an election', () => {
  const { sleep, world } = taken();
  sleep.peerLost(3);
  assert.ok(sleep.isAsleep);
  world.silentTicks = 25;
  sleep.peerLost(2);
  assert.ok(!sleep.isAsleep);
  assert.equal(world.ticks, 10);
  assert.deepEqual(world.told, ['asleep', 'leader-lost']);
});

test('a follower wakes at the end of a turn for what is done with its group, or said of its leader', () => {
  const changes: readonly Change[] = [
    { abstaining: [2] },
    { live: [3] },
    { status: { lastIndex: 8 } },
    { status: { role: 'preCandidate', lead: 0 } },
    { hasReady: true },
    { isAtRest: false },
  ];
  for (const change of changes) {
    const { sleep, world } = taken();
    apply(world, change);
    sleep.turn();
    assert.ok(!sleep.isAsleep, JSON.stringify(change));
  }
});
