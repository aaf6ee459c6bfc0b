import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { DEFAULT_TIMING } from '../src/index.js';
import { Upkeep, type UpkeepHost } from '../src/upkeep.js';

/** A group as far as upkeep looks at it. */
class FakeGroup {
  readonly isAsleep: boolean;
  role = 'follower';
  abstains = false;
  readonly id = 0;
  readonly voters = [1, 2, 3];
  readonly hasWork = false;
  readonly documents = { all: () => [][Symbol.iterator]() };
  ticks = 0;
  upkeeps = 0;

  constructor(is: 'awake' | 'asleep') {
    this.isAsleep = is === 'asleep';
  }

  tick(): void {
    this.ticks++;
  }

  upkeep(): void {
    this.upkeeps++;
  }

  setAbstains(is: boolean): void {
    this.abstains = is;
  }

  resign(): void {
    this.role = 'follower';
  }
}

function setUp(groups: readonly FakeGroup[]) {
  let now = 0;
  let goal: object | undefined;
  const did = { livenessTicks: 0, looksAtSleepers: 0, abstains: false };
  const writer = { inFlight: 0 };
  const dirty = new Set<FakeGroup>();
  const idle = { tick() {}, check() {}, upkeep() {} };
  const membership = { canLead: () => false, wantedLeader: () => undefined };
  Object.defineProperty(membership, 'goal', { get: () => goal });
  const host = {
    config: { node: 1, timing: DEFAULT_TIMING, limits: DEFAULT_LIMITS },
    groups,
    awake: new Set(groups.filter(({ isAsleep }) => !isAsleep)),
    writer,
    disk: { oldestRead: 0 },
    led: new Set(groups.filter(({ role }) => role === 'leader')),
    links: {
      setAbstains(is: boolean) {
        did.abstains = is;
      },
    },
    log: { info() {}, error() {} },
    liveness: { tick: (ticks: number) => (did.livenessTicks += ticks) },
    members: { changes: idle, membership, upkeep() {} },
    lookAtSleepers: () => did.looksAtSleepers++,
    dirty: (group: FakeGroup) => dirty.add(group),
    nowMs: () => now,
    beat() {},
    ...{
      deployments: idle,
      readLoad: idle,
      senders: idle,
      diskRoom: { ...idle, isLow: false },
      reads: idle,
      heads: idle,
      forwarding: idle,
    },
    ...{ snapshots: idle, residency: { ...idle, isPressed: false }, clusterClock: idle },
  } as unknown as UpkeepHost;
  const upkeep = new Upkeep(host);
  const tickAt = (ms: number): void => {
    now = ms;
    upkeep.tick();
  };
  const setGoal = (to: object): void => {
    goal = to;
  };
  return { upkeep, did, dirty, writer, tickAt, setGoal };
}

test('ticks go by the clock, however early or late the calls come', () => {
  const [awake, asleep] = [new FakeGroup('awake'), new FakeGroup('asleep')];
  const { upkeep, did, tickAt } = setUp([awake, asleep]);
  assert.equal(DEFAULT_TIMING.tickMs, 50);
  for (const ms of [45, 90, 135, 180, 225]) tickAt(ms);
  assert.deepEqual([awake.ticks, asleep.ticks, did.livenessTicks], [4, 0, 4]);
  tickAt(240);
  assert.deepEqual([awake.ticks, did.livenessTicks], [4, 4]);
  assert.equal(upkeep.ticksMissed, 0);
});

test('what a process missed while it stood still is left out, of groups and of peers (pitfall 21)', () => {
  const group = new FakeGroup('awake');
  const { upkeep, did, tickAt } = setUp([group]);
  const { heartbeatTicks, tickMs } = DEFAULT_TIMING;
  tickAt(1000 * tickMs);
  assert.deepEqual([group.ticks, did.livenessTicks], [heartbeatTicks, heartbeatTicks]);
  assert.equal(upkeep.ticksMissed, 1000 - heartbeatTicks);
});

test('groups that sleep have their upkeep too, each every 16 seconds (pitfall 23)', () => {
  const groups = Array.from({ length: 200 }, () => new FakeGroup('asleep'));
  const { dirty, tickAt } = setUp(groups);
  for (let ms = 50; ms <= 16_000; ms += 50) tickAt(ms);
  assert.ok(groups.every(({ upkeeps, ticks }) => upkeeps >= 1 && upkeeps <= 2 && ticks === 0));
  assert.equal(dirty.size, groups.length, 'each asks itself in a turn whether it may sleep on');
});

test('groups that sleep are asked when configurations are to be others, once (pitfall 23)', () => {
  const { did, tickAt, setGoal } = setUp([new FakeGroup('asleep')]);
  for (let ms = 250; ms <= 1000; ms += 250) tickAt(ms);
  assert.equal(did.looksAtSleepers, 0);
  setGoal({ voters: [1, 2, 3], learners: [] });
  for (let ms = 1250; ms <= 2000; ms += 250) tickAt(ms);
  assert.equal(did.looksAtSleepers, 1);
});

test('while a write does not end a node leads nothing, and is to be made no leader (pitfall 22)', () => {
  const [led, followed] = [new FakeGroup('awake'), new FakeGroup('asleep')];
  led.role = 'leader';
  const { upkeep, did, writer, tickAt } = setUp([led, followed]);
  writer.inFlight = 7;
  for (let ms = 50; ms < 2000; ms += 50) tickAt(ms);
  assert.deepEqual([upkeep.isDiskStalled, led.role, did.abstains], [false, 'leader', false]);
  for (let ms = 2000; ms <= 2100; ms += 50) tickAt(ms);
  assert.deepEqual([upkeep.isDiskStalled, led.role, did.abstains], [true, 'follower', true]);
  assert.ok(led.abstains && followed.abstains, 'nor do its groups campaign');
  writer.inFlight = 0;
  tickAt(2150);
  assert.deepEqual([upkeep.isDiskStalled, did.abstains], [false, false]);
  assert.ok(!led.abstains && !followed.abstains);
});
