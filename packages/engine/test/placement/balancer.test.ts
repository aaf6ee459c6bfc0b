import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerStatus, Status } from 'raft-ts';
import { type BalancedGroup, Balancer, preferredLeader } from '../../src/placement/balancer.js';

const REACHABLE = (): boolean => true;

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
  leadTransferee = 0;
  peers = [peer(1), peer(2), peer(3)];

  constructor(id: number) {
    this.id = id;
  }

  status(): Status {
    const { leadTransferee, peers } = this;
    return { lastIndex: 100, leadTransferee, progress: peers } as unknown as Status;
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

test('a leader hands over to the preferred voter, once the election is settled', () => {
  const balancer = new Balancer(1);
  const group = new LedGroup(1);
  balancer.balance([group], 0, REACHABLE);
  balancer.balance([group], 2999, REACHABLE);
  assert.deepEqual(group.transfers, []);
  balancer.balance([group], 3000, REACHABLE);
  assert.deepEqual(group.transfers, [2]);
});

test('a leadership that was lost in between has to settle anew', () => {
  const balancer = new Balancer(1);
  const group = new LedGroup(1);
  balancer.balance([group], 0, REACHABLE);
  balancer.balance([], 1000, REACHABLE);
  balancer.balance([group], 2000, REACHABLE);
  balancer.balance([group], 4999, REACHABLE);
  assert.deepEqual(group.transfers, []);
});

test('one group is handed over at a time', () => {
  const balancer = new Balancer(1);
  const groups = [new LedGroup(1), new LedGroup(2), new LedGroup(3)];
  balancer.balance(groups, 0, REACHABLE);
  balancer.balance(groups, 5000, REACHABLE);
  assert.deepEqual(
    groups.map(({ transfers }) => transfers),
    [[2], [], []],
  );
  groups[0]!.leadTransferee = 2;
  balancer.balance(groups, 5250, REACHABLE);
  assert.deepEqual(groups[1]!.transfers, []);
});

test('nothing goes to a node that is away, behind, damaged or not a voter', () => {
  const unfit: Array<Partial<PeerStatus>> = [
    { match: -1 },
    { recentActive: false },
    { damaged: true },
    { isLearner: true },
  ];
  for (const changes of unfit) {
    const balancer = new Balancer(1);
    const group = new LedGroup(1);
    group.peers = [peer(1), peer(2, changes), peer(3)];
    balancer.balance([group], 0, REACHABLE);
    balancer.balance([group], 5000, REACHABLE);
    assert.deepEqual(group.transfers, [], JSON.stringify(changes));
  }
  const balancer = new Balancer(1);
  const group = new LedGroup(1);
  balancer.balance([group], 0, REACHABLE);
  balancer.balance([group], 5000, () => false);
  assert.deepEqual(group.transfers, []);
});
