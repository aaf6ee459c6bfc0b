import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ConfChange,
  type ConfState,
  changeConf,
  LEAVE_JOINT,
  type PeerStatus,
  type Status,
  votersOnly,
} from 'raft-ts';
import { Reconfiguration } from '../../src/groups/reconfiguration.js';
import type { Goal } from '../../src/members/members-state.js';

/** Group 2 of nodes 1, 2 and 3 at node 1, which leads it in term 4; everybody has everything. */
function setUp() {
  const peer = (id: number): PeerStatus =>
    ({
      ...{ id, match: 7, next: 8, state: 'replicate', isLearner: id > 3, recentActive: true },
      damaged: false,
    }) as PeerStatus;
  const peers = [1, 2, 3, 4, 5].map(peer);
  const status = {
    ...{ id: 1, term: 4, role: 'leader', lead: 1, leadTransferee: 0 },
    ...{ commit: 7, lastIndex: 7, progress: peers },
  };
  const done: string[] = [];
  const said: string[] = [];
  const confirms: Array<(reached: boolean) => void> = [];
  const world = {
    status: status as unknown as { -readonly [Key in keyof Status]: Status[Key] },
    peers: peers as unknown as Array<{ -readonly [Key in keyof PeerStatus]: PeerStatus[Key] }>,
    state: { confState: votersOnly([1, 2, 3]) as ConfState, applied: { index: 7, term: 4 } },
    goal: { voters: [1, 2, 3], learners: [4] } as Goal | undefined,
    changing: 1,
    mayDrop: true,
    canLead: (_node: number): boolean => true,
    hasRoom: true,
    proposed: undefined as ConfChange | undefined,
  };
  const reconfiguration = new Reconfiguration({
    ...{ group: 2, self: 1, state: world.state, nowMs: () => 0 },
    raft: {
      status: () => world.status as Status,
      basicStatus: () => world.status as Status,
      canPropose: () => world.hasRoom,
      proposeConfChange: (change) => {
        world.status.lastIndex++;
        world.proposed = change;
        const words = change.changes.map(({ kind, node }) => `${kind} ${node}`).join(', ');
        done.push(change === LEAVE_JOINT ? 'leave' : words);
      },
      propose: (...data) => {
        world.status.lastIndex++;
        world.proposed = undefined;
        done.push(`seal ${data.length}`);
      },
      transferLeader: (to) => {
        world.status.leadTransferee = to;
        done.push(`to ${to}`);
      },
    },
    members: {
      get goal() {
        return world.goal;
      },
      get changing() {
        return world.changing;
      },
      mayDrop: (group) => group === 2 && world.mayDrop,
      canLead: (node) => world.canLead(node),
      confirm: (_expiresMs, reached) => void confirms.push(reached),
    },
    log: {
      debug() {},
      warn() {},
      error() {},
      info: (event, fields) => void said.push(`${event} ${JSON.stringify(fields)}`),
    },
    wake() {},
  });
  /** What is done next, all that is asked for being confirmed. */
  const look = (): string[] => {
    done.length = 0;
    reconfiguration.look();
    for (const reached of confirms.splice(0)) reached(true);
    return done.slice();
  };
  /** What was proposed is committed and applied. */
  const apply = (): void => {
    if (world.proposed) world.state.confState = changeConf(world.state.confState, world.proposed);
    world.state.applied.index = world.status.lastIndex;
    world.status.commit = world.status.lastIndex;
    for (const one of world.peers) one.match = world.status.lastIndex;
  };
  return { reconfiguration, world, done, said, confirms, look, apply };
}

test('a leader goes all the way of a replacement, a step at a time, each once it is applied', () => {
  const { world, look, apply, reconfiguration } = setUp();
  world.goal = { voters: [1, 3, 4], learners: [] };
  assert.deepEqual(look(), ['addLearner 4']);
  assert.deepEqual(look(), [], 'it is not applied yet');
  assert.ok(!reconfiguration.isDone);
  apply();
  assert.deepEqual(look(), ['addVoter 4, remove 2']);
  apply();
  assert.deepEqual(look(), ['leave']);
  assert.ok(!reconfiguration.isDone);
  apply();
  assert.ok(!reconfiguration.isDone, 'nobody may have written down that it is committed');
  assert.deepEqual(look(), ['seal 1']);
  assert.deepEqual(look(), [], 'once is enough');
  assert.ok(!reconfiguration.isDone);
  apply();
  assert.ok(reconfiguration.isDone);
  assert.deepEqual(look(), []);
});

test('a leader of another term, or for another goal, has it written down anew', () => {
  const { reconfiguration, world, look, apply } = setUp();
  world.goal = { voters: [1, 2, 3], learners: [] };
  assert.deepEqual(look(), ['seal 1']);
  apply();
  assert.ok(reconfiguration.isDone);
  world.status.term++;
  assert.ok(!reconfiguration.isDone);
  assert.deepEqual(look(), ['seal 1']);
  apply();
  world.goal = { ...world.goal };
  assert.ok(!reconfiguration.isDone);
  assert.deepEqual(look(), ['seal 1']);
  apply();
  world.changing = 0;
  world.goal = { ...world.goal };
  assert.deepEqual(look(), [], 'without a change there is nothing to write down');
});

test('nothing is done before the document is confirmed in the term of the leader', () => {
  const { reconfiguration, world, done, confirms, apply } = setUp();
  reconfiguration.look();
  reconfiguration.look();
  assert.deepEqual([done, confirms.length], [[], 1], 'it is asked for once');
  confirms.shift()!(false);
  assert.deepEqual(done, [], 'it was not confirmed');
  reconfiguration.look();
  confirms.shift()!(true);
  assert.deepEqual(done, ['addLearner 4']);
  apply();
  world.goal = { voters: [1, 2, 3], learners: [4, 5] };
  reconfiguration.follow();
  assert.deepEqual(done, ['addLearner 4', 'addLearner 5'], 'once in a term is enough');
  apply();
  world.status.term = 6;
  world.goal = { voters: [1, 2, 3], learners: [4] };
  reconfiguration.follow();
  assert.equal(done.length, 2);
  world.status.term = 8;
  confirms.shift()!(true);
  assert.equal(done.length, 2, 'that was another term');
  confirms.shift()!(true);
  assert.deepEqual(done.slice(2), ['remove 5']);
});

test('by the time of the confirmation the step is looked for anew', () => {
  const { reconfiguration, world, done, confirms } = setUp();
  reconfiguration.look();
  world.goal = { voters: [1, 2, 3], learners: [5] };
  confirms.shift()!(true);
  assert.deepEqual(done, ['addLearner 5']);
});

test('nobody but a leader that stays does anything, and nobody without a document', () => {
  const changes: ReadonlyArray<(world: ReturnType<typeof setUp>['world']) => void> = [
    (world) => Object.assign(world.status, { role: 'follower' }),
    (world) => Object.assign(world.status, { leadTransferee: 2 }),
    (world) => Object.assign(world, { goal: undefined }),
    (world) => Object.assign(world, { hasRoom: false }),
    (world) => Object.assign(world, { goal: { voters: [1, 2, 3], learners: [] }, changing: 0 }),
  ];
  for (const change of changes) {
    const { world, look } = setUp();
    change(world);
    assert.deepEqual(look(), [], String(change));
  }
});

test('a proposal that a lost leadership took with it is made again in the next', () => {
  const { world, look } = setUp();
  assert.deepEqual(look(), ['addLearner 4']);
  Object.assign(world.status, { term: 5, lastIndex: 7 });
  assert.deepEqual(look(), ['addLearner 4']);
});

/** A leader that has looked twice at a learner, which is to vote. */
function promoting() {
  const setup = setUp();
  setup.world.state.confState = { ...votersOnly([1, 2, 3]), learners: [4] };
  setup.look();
  setup.look();
  setup.world.goal = { voters: [1, 2, 3, 4], learners: [] };
  return { ...setup, learner: setup.world.peers[3]! };
}

test('a learner has caught up when it has what was committed at the look before, and is sound', () => {
  assert.deepEqual(promoting().look(), ['addVoter 4']);
  const behind: ReadonlyArray<Partial<PeerStatus>> = [
    { match: 6 },
    { state: 'probe' },
    { state: 'snapshot' },
    { recentActive: false },
    { damaged: true },
  ];
  for (const changes of behind) {
    const { learner, look, reconfiguration, said } = promoting();
    Object.assign(learner, changes);
    assert.deepEqual(look(), [], JSON.stringify(changes));
    assert.ok(!reconfiguration.hasCaughtUp(4));
    assert.deepEqual(look(), []);
    assert.deepEqual(said, ['configuration-waits {"group":2,"why":"node 4 has not caught up"}']);
  }
});

test('while messages go on, a learner that is a look behind has caught up', () => {
  const { world, look, learner } = promoting();
  Object.assign(world.status, { commit: 90, lastIndex: 95 });
  learner.match = 7;
  assert.deepEqual(look(), ['addVoter 4']);
});

test('a leader in its first moments does not know who has caught up', () => {
  const { world, reconfiguration, confirms, done } = setUp();
  world.state.confState = { ...votersOnly([1, 2, 3]), learners: [4] };
  world.goal = { voters: [1, 2, 3, 4], learners: [] };
  assert.ok(!reconfiguration.hasCaughtUp(4));
  reconfiguration.look();
  assert.ok(!reconfiguration.hasCaughtUp(4));
  reconfiguration.look();
  assert.ok(reconfiguration.hasCaughtUp(4));
  confirms.shift()!(true);
  assert.deepEqual(done, ['addVoter 4']);
});

test('what a leader knew in an earlier term says nothing of who has caught up', () => {
  const { world, look, learner, reconfiguration } = promoting();
  // Others led meanwhile; the learner has got no more than before, and answers.
  Object.assign(world.status, { term: 9, commit: 1000, lastIndex: 1000 });
  world.state.applied.index = 1000;
  for (const one of world.peers) one.match = 1000;
  learner.match = 8;
  assert.ok(!reconfiguration.hasCaughtUp(4));
  assert.deepEqual(look(), []);
  assert.deepEqual(look(), []);
  learner.match = 1000;
  assert.deepEqual(look(), ['addVoter 4']);
});

test('a leader that is to go hands over to the voter that has most and can lead', () => {
  const setup = (): ReturnType<typeof setUp> => {
    const made = setUp();
    made.world.goal = { voters: [2, 3], learners: [] };
    return made;
  };
  const { world, look } = setup();
  world.peers[2]!.match = 8;
  assert.deepEqual(look(), ['to 3']);
  assert.deepEqual(look(), [], 'it is under way');
  world.status.leadTransferee = 0;
  assert.deepEqual(look(), ['to 3'], 'it came to nothing, and is tried again');
  const other = setup();
  other.world.peers[2]!.match = 8;
  other.world.canLead = (node) => node === 2;
  assert.deepEqual(other.look(), ['to 2']);
  const none = setup();
  none.world.canLead = () => false;
  assert.deepEqual(none.look(), []);
  assert.match(none.said[0]!, /none of 2, 3 can take the group over/);
});

test('nodes leave when they may', () => {
  const { world, look, said } = setUp();
  Object.assign(world, { goal: { voters: [1, 2], learners: [] }, mayDrop: false });
  assert.deepEqual(look(), []);
  assert.match(said[0]!, /the other groups come first/);
  world.mayDrop = true;
  assert.deepEqual(look(), ['remove 3']);
});

test('a configuration is not done while a step of before is under way', () => {
  const { world, look, reconfiguration, apply } = setUp();
  assert.deepEqual(look(), ['addLearner 4']);
  world.goal = { voters: [1, 2, 3], learners: [] };
  assert.ok(!reconfiguration.isDone, 'what is applied is as it was, and will not be');
  apply();
  assert.ok(!reconfiguration.isDone);
  assert.deepEqual(look(), ['remove 4']);
  apply();
  assert.deepEqual(look(), ['seal 1']);
  apply();
  assert.ok(reconfiguration.isDone);
  world.goal = undefined;
  assert.ok(!reconfiguration.isDone);
});
