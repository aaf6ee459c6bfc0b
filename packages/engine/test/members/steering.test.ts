import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUtf8 } from '@deltabase/base';
import type { MembersView } from '../../src/members/members-refusals.js';
import * as rules from '../../src/members/members-rules.js';
import type { MembersState } from '../../src/members/members-state.js';
import { goalOf } from '../../src/members/members-state.js';
import type { Membership } from '../../src/members/membership.js';
import type { Standings } from '../../src/members/standings.js';
import { Steering } from '../../src/members/steering.js';
import type { Result, Submission } from '../../src/results.js';
import type { RecoveryRow } from '../../src/storage/rows.js';
import { SILENT } from '../support/log.js';
import { modelMember as member } from '../support/members-model.js';

const GROUPS = 4;
const ACCEPTED: Result = { kind: 'accepted', seq: 1, reply: undefined };
const REFUSED: Result = { kind: 'failed', code: 'UNAVAILABLE', message: 'not now', details: {} };

/** Node 1 of three that are all known; it leads the system group. */
function setUp() {
  const ids = [1, 2, 3];
  const begun = rules.found({ id: 'id', members: ids.map(member) }, undefined);
  const known = ids.reduce((state, node) => rules.met(state, node, 10 + node), begun);
  const world = {
    state: known as MembersState | undefined,
    clusterId: 'id',
    leadsSystem: true,
    /** Groups that have the node of the change, in which it has caught up, and that are done. */
    groupsWith: 0,
    lag: GROUPS,
    done: 0,
    incarnations: new Map<number, number>(),
    recovery: undefined as RecoveryRow | undefined,
  };
  const open: Submission[] = [];
  const said: unknown[] = [];
  const membership = {
    get state() {
      return world.state;
    },
    get isOfCluster() {
      return world.state !== undefined && world.state.id === world.clusterId;
    },
    get clusterId() {
      return world.clusterId;
    },
    founders: ids,
    members: ids.map(member),
    groups: GROUPS,
    groupsWith: () => world.groupsWith,
  };
  const standings = {
    lagOf: () => world.lag,
    doneIn: (change: number) => (change === world.state?.change?.number ? world.done : 0),
  };
  const steering = new Steering({
    ...{
      self: 1,
      incarnation: 11,
      configured: [member(1), { ...member(2), peerAddress: 'mine:1' }],
    },
    get recovery() {
      return world.recovery;
    },
    membership: membership as unknown as Membership,
    standings: standings as unknown as Standings,
    log: SILENT,
    leadsSystem: () => world.leadsSystem,
    incarnationOf: (node) => world.incarnations.get(node),
    random: () => 0xabc,
    submit: (submission) => {
      open.push(submission);
      const { channel, payload, space, key } = submission.message;
      assert.deepEqual([space, key], ['$system', 'members']);
      said.push([channel, JSON.parse(decodeUtf8(payload)!)]);
    },
  });
  /** What is said in one tick at a time, after all before was answered. */
  const says = (nowMs = 0, result = ACCEPTED): unknown[] => {
    said.length = 0;
    steering.tick(nowMs);
    for (const { sink, tag } of open.splice(0)) sink.answer(tag, result);
    return said.slice();
  };
  return { steering, world, says, open };
}

type World = ReturnType<typeof setUp>['world'];

/** A change is under way. */
function begin(
  world: World,
  order: (state: MembersState, view: MembersView) => rules.Ruling,
): void {
  const view = {
    isReachable: () => true,
    lagOf: () => 0,
    groups: GROUPS,
    membersMax: 9,
    clusterId: 'id',
  };
  world.state = order(world.state!, view) as MembersState;
  world.state = rules.met(world.state, 4, 14);
}

const replace = (state: MembersState, view: MembersView) =>
  rules.replace(state, { old: 2, member: member(4) }, view);

test('whoever leads the system group says when a change can go on, and only then', () => {
  const { world, says } = setUp();
  begin(world, replace);
  assert.deepEqual(says(), []);
  world.groupsWith = GROUPS - 1;
  world.lag = 0;
  assert.deepEqual(says(), [], 'a group does not have the node yet');
  world.groupsWith = GROUPS;
  world.lag = 1;
  assert.deepEqual(says(), [], 'in a group it has not caught up');
  world.lag = 0;
  assert.deepEqual(says(), [['advance', { number: 1 }]]);
  world.state = rules.advance(world.state!, 1);
  world.done = GROUPS - 1;
  assert.deepEqual(says(), [], 'a group is not as it is to be');
  world.done = GROUPS;
  assert.deepEqual(says(), [['finish', { number: 1 }]]);
  world.state = rules.finish(world.state!, 1);
  assert.deepEqual(goalOf(world.state).voters, [1, 3, 4]);
  assert.deepEqual(says(), []);
});

test('a learner that is to stay one has joined once all groups have it', () => {
  const { world, says } = setUp();
  begin(world, (state, view) => rules.add(state, { member: member(4), promote: false }, view));
  world.groupsWith = GROUPS;
  assert.deepEqual(says(), [['finish', { number: 1 }]]);
});

test('nobody else says anything of it', () => {
  const { world, says } = setUp();
  begin(world, replace);
  Object.assign(world, { groupsWith: GROUPS, lag: 0, leadsSystem: false });
  assert.deepEqual(says(), []);
});

test('one thing is said at a time, until it is answered; what was refused is said again after a rest', () => {
  const { steering, world, says, open } = setUp();
  begin(world, replace);
  Object.assign(world, { groupsWith: GROUPS, lag: 0 });
  steering.tick(0);
  steering.tick(250);
  steering.tick(4000);
  assert.equal(open.length, 1);
  assert.equal(open[0]!.expiresMs, 5000);
  const [{ sink, tag }] = open.splice(0) as [Submission];
  sink.answer(tag, REFUSED);
  assert.deepEqual(says(4250), [], 'the rest begins with the answer');
  assert.deepEqual(says(4999), []);
  assert.deepEqual(says(5000, REFUSED), [['advance', { number: 1 }]]);
  assert.deepEqual(says(5999), []);
  assert.deepEqual(says(6000), [['advance', { number: 1 }]]);
  assert.deepEqual(says(6000), [['advance', { number: 1 }]], 'taken, and not applied here yet');
});

test('a node that is met is named with its incarnation, this one with its own', () => {
  const { world, says } = setUp();
  world.state = rules.found({ id: 'id', members: [1, 2, 3].map(member) }, undefined);
  world.incarnations.set(3, 13);
  assert.deepEqual(says(), [['met', { node: 1, incarnation: 11 }]]);
  world.state = rules.met(world.state, 1, 11);
  assert.deepEqual(says(), [['met', { node: 3, incarnation: 13 }]]);
  world.state = rules.met(world.state, 3, 13);
  assert.deepEqual(says(), [], 'node 2 was not heard of yet');
});

test('a new cluster is founded once, each attempt under the same id, where this node was told its members are', () => {
  const { world, says } = setUp();
  Object.assign(world, { state: undefined, clusterId: '' });
  const members = [1, 2, 3].map((node) => {
    return { node, peer: node === 2 ? 'mine:1' : `p${node}:1`, client: `c${node}:1` };
  });
  const founding = [['found', { id: '00000abc00000abc', members, before: null }]];
  assert.deepEqual(says(0, REFUSED), founding);
  assert.deepEqual(says(1000), founding);
  world.clusterId = '00000abc00000abc';
  assert.deepEqual(says(1000), [], 'the document is still to come here');
});

test('a recovered cluster names what it was before', () => {
  const { world, says } = setUp();
  world.clusterId = 'other';
  assert.deepEqual(says(), [], 'the document is still to come here');
  const recovery = { formerId: 'id', node: 1, takenFrom: [], givenUp: [2, 3], timeMs: 5 };
  world.recovery = { ...recovery, clusterId: 'other' };
  const [[channel, payload]] = says() as [[string, { id: string; before: string }]];
  assert.deepEqual([channel, payload.id, payload.before], ['found', 'other', 'id']);
  assert.deepEqual((payload as { recovery?: unknown }).recovery, recovery);
  // It was recovered from something else, once: that is in the document already.
  world.clusterId = 'another';
  assert.deepEqual(says(), []);
});

test('a node that has moved says so itself, whoever leads', () => {
  const { steering, world, says } = setUp();
  world.leadsSystem = false;
  steering.announce(member(1));
  assert.deepEqual(says(), []);
  steering.announce({ ...member(1), clientAddress: 'new:1' });
  assert.deepEqual(says(), [['move', { node: 1, peer: 'p1:1', client: 'new:1' }]]);
  world.state = undefined;
  assert.deepEqual(says(), [], 'it does not know the members yet');
});
