import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerStatus, Status } from 'raft-ts';
import {
  type BalancedGroup,
  Balancer,
  type BalancerView,
  preferredLeader,
} from '../../src/placement/balancer.js';

const ANY: BalancerView = { canLead: () => true };

function peer(id: number, changes: Partial<PeerStatus> = {}): PeerStatus {
  return {
    id,
    match: 100,
    next: 101,
    state: 'replicate',
    isLearner: false,
    paused: false,
    inflight: 0,
    pendingSnapshot: 0,
    recentActive: true,
    damaged: false,
    ...changes,
  } as PeerStatus;
}

/** A group led by node 1; group n of 1 to 3 prefers node n % 3 + 1. */
class LedGroup implements BalancedGroup {
  readonly voters = [1, 2, 3];
  readonly id: number;
  transfers: number[] = [];
  isAsleep = false;
  leadTransferee = 0;
  lastIndex = 100;
  peers = [peer(1), peer(2), peer(3)];

  constructor(id: number) {
    this.id = id;
  }

  status(): Status {
    const { lastIndex, leadTransferee, peers } = this;
    return { lastIndex, leadTransferee, progress: peers } as unknown as Status;
  }

  wake(): void {
    this.isAsleep = false;
  }

  transferTo(to: number): void {
    this.transfers.push(to);
  }
}

test('groups prefer their voters in turn', () => {
  const voters = [1, 2, 3];
  assert.deepEqual(
    [0, 1, 2, 3].map((id) => preferredLeader({ id, voters })),
    [1, 2, 3, 1],
  );
});

test('a group prefers the voter that an operator wants, as long as it is one', () => {
  const voters = [1, 2, 3];
  assert.equal(preferredLeader({ id: 0, voters }, 3), 3);
  assert.equal(preferredLeader({ id: 0, voters }, 4), 1);
  const group = new LedGroup(3);
  look(new Balancer(1), [group], { from: 0, to: 5000 }, { ...ANY, wanted: () => 3 });
  assert.deepEqual(group.transfers, [3]);
});

/** Looks at the groups every quarter of a second, as a node does. */
function look(
  balancer: Balancer,
  groups: readonly BalancedGroup[],
  { from, to }: { readonly from: number; readonly to: number },
  view: BalancerView = ANY,
): void {
  for (let ms = from; ms <= to; ms += 250) balancer.balance(groups, ms, view);
}

test('a leader hands over to the preferred voter, once the election is settled', () => {
  const balancer = new Balancer(1);
  const group = new LedGroup(1);
  look(balancer, [group], { from: 0, to: 2750 });
  assert.deepEqual(group.transfers, []);
  look(balancer, [group], { from: 3000, to: 3000 });
  assert.deepEqual(group.transfers, [2]);
});

test('a leadership that was lost in between has to settle anew', () => {
  const balancer = new Balancer(1);
  const group = new LedGroup(1);
  balancer.balance([group], 0, ANY);
  balancer.balance([], 1000, ANY);
  look(balancer, [group], { from: 2000, to: 4750 });
  assert.deepEqual(group.transfers, []);
  look(balancer, [group], { from: 5000, to: 5000 });
  assert.deepEqual(group.transfers, [2]);
});

test('of a few groups one is handed over at a time', () => {
  const balancer = new Balancer(1);
  const groups = [new LedGroup(1), new LedGroup(2), new LedGroup(3)];
  look(balancer, groups, { from: 0, to: 3000 });
  assert.deepEqual(
    groups.map(({ transfers }) => transfers),
    [[2], [], []],
  );
  groups[0]!.leadTransferee = 2;
  balancer.balance(groups, 3250, ANY);
  assert.deepEqual(groups[1]!.transfers, []);
});

test('of many groups a sixteenth is handed over at a time, those under way included', () => {
  const balancer = new Balancer(1);
  // Every third of them is led where it should be.
  const groups = Array.from({ length: 48 }, (_, at) => new LedGroup(at));
  const moved = (): number[] =>
    groups.filter((group) => group.transfers.length > 0).map(({ id }) => id);
  look(balancer, groups, { from: 0, to: 3000 });
  assert.deepEqual(moved(), [1, 2, 4]);
  for (const id of [1, 2]) groups[id]!.leadTransferee = 2;
  balancer.balance(
    groups.filter(({ id }) => id !== 4),
    3250,
    ANY,
  );
  assert.deepEqual(moved(), [1, 2, 4, 5]);
});

test('a group asleep is woken first, as many at a time as are handed over', () => {
  const balancer = new Balancer(1);
  const groups = [new LedGroup(1), new LedGroup(2)];
  for (const group of groups) group.isAsleep = true;
  look(balancer, groups, { from: 0, to: 3000 });
  const states = (): unknown => groups.map(({ isAsleep, transfers }) => [isAsleep, ...transfers]);
  assert.deepEqual(states(), [[false], [true]]);
  balancer.balance(groups, 3250, ANY);
  assert.deepEqual(states(), [[false, 2], [true]]);
  look(new Balancer(2), [groups[1]!], { from: 0, to: 5000 }, { canLead: () => false });
  assert.ok(groups[1]!.isAsleep, 'where nobody else could lead it, it sleeps on');
});

test('nothing goes to a node that may not lead, is silent, damaged, probed or not a voter', () => {
  const unfit: Array<Partial<PeerStatus>> = [
    { match: -1 },
    { recentActive: false },
    { damaged: true },
    { isLearner: true },
    { state: 'probe' },
    { state: 'snapshot' },
  ];
  for (const changes of unfit) {
    const group = new LedGroup(1);
    group.peers = [peer(1), peer(2, changes), peer(3)];
    look(new Balancer(1), [group], { from: 0, to: 5000 });
    assert.deepEqual(group.transfers, [], JSON.stringify(changes));
  }
  const group = new LedGroup(1);
  look(new Balancer(1), [group], { from: 0, to: 5000 }, { canLead: () => false });
  assert.deepEqual(group.transfers, []);
});

test('a target keeps up if it has what was in the log a look before, however much came since', () => {
  const lags = [
    { lag: 100, transfers: [2] },
    { lag: 101, transfers: [] },
  ];
  for (const { lag, transfers } of lags) {
    const balancer = new Balancer(1);
    const group = new LedGroup(1);
    for (let ms = 0; ms <= 5000 && group.transfers.length === 0; ms += 250) {
      group.lastIndex += 100;
      group.peers = [peer(1), peer(2, { match: group.lastIndex - lag })];
      balancer.balance([group], ms, ANY);
    }
    assert.deepEqual(group.transfers, transfers);
  }
});

/** Looks for so long; each transfer fails within half a second. Returns when transfers began, ms. */
function failing(balancer: Balancer, group: LedGroup, forMs: number): number[] {
  const began: number[] = [];
  for (let ms = 0; ms <= forMs; ms += 250) {
    const before = group.transfers.length;
    balancer.balance([group], ms, ANY);
    const hasBegun = group.transfers.length > before;
    if (hasBegun) began.push(ms);
    group.leadTransferee = hasBegun ? 2 : 0;
  }
  return began;
}

test('a node that does not take a group is asked again later and later, never in the same look', () => {
  const began = failing(new Balancer(1), new LedGroup(1), 700_000);
  const gaps = began.slice(1).map((ms, at) => ms - began[at]!);
  assert.deepEqual(
    gaps.map((gap) => Math.floor(gap / 1000)),
    [5, 10, 20, 40, 80, 160, 300],
  );
});

test('a node that loses a group soon after it got it has failed too', () => {
  const balancer = new Balancer(1);
  const group = new LedGroup(1);
  look(balancer, [group], { from: 0, to: 3000 });
  look(balancer, [], { from: 3250, to: 4000 });
  look(balancer, [group], { from: 4250, to: 9000 });
  assert.deepEqual(group.transfers, [2]);
  look(balancer, [group], { from: 9250, to: 9500 });
  assert.deepEqual(group.transfers, [2, 2]);
});

test('a node that ended, and lost all its groups by that, has failed once', () => {
  const balancer = new Balancer(1);
  const groups = [1, 4, 7].map((id) => new LedGroup(id));
  const moved = (): number[] => groups.map(({ transfers }) => transfers.length);
  look(balancer, groups, { from: 0, to: 3000 });
  look(balancer, groups.slice(1), { from: 3250, to: 3250 });
  look(balancer, groups.slice(2), { from: 3500, to: 3500 });
  assert.deepEqual(moved(), [1, 1, 1]);
  look(balancer, groups, { from: 4000, to: 8750 });
  assert.deepEqual(moved(), [1, 1, 1]);
  look(balancer, groups, { from: 9000, to: 9000 });
  assert.deepEqual(moved(), [2, 1, 1]);
});

test('a node that has kept a group for a minute is as good as any', () => {
  const balancer = new Balancer(1);
  const group = new LedGroup(1);
  const began = failing(balancer, group, 100_000);
  assert.equal(began.length, 5);
  let ms = 100_250;
  for (; group.transfers.length === 5; ms += 250) balancer.balance([group], ms, ANY);
  look(balancer, [], { from: ms, to: ms + 61_000 });
  // Back for another reason: it settles, is handed over, and a failure rests as the first one does.
  ms += 61_250;
  look(balancer, [group], { from: ms, to: ms + 3000 });
  assert.equal(group.transfers.length, 7);
  look(balancer, [group], { from: ms + 3250, to: ms + 8000 });
  assert.equal(group.transfers.length, 7);
  look(balancer, [group], { from: ms + 8250, to: ms + 8250 });
  assert.equal(group.transfers.length, 8);
});
