import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfState, LEAVE_JOINT, type NodeId, votersOnly } from 'raft-ts';
import { type GroupView, nextStep, type Step } from '../../src/members/next-step.js';

/** A leader that has heard of everybody; whoever is asked for can take over. */
function viewOf(self: NodeId, changes: Partial<GroupView> = {}): GroupView {
  return {
    self,
    isFit: () => true,
    hasCaughtUp: () => true,
    heirOf: (nodes) => nodes[0],
    mayDrop: true,
    ...changes,
  };
}

/** The changes of a step, or what it is. */
function describe(step: Step | undefined): unknown {
  if (step === undefined) return 'none';
  if (step.kind === 'transfer') return `hand over to ${step.to}`;
  if (step.kind === 'wait') return `wait: ${step.why}`;
  return step.change === LEAVE_JOINT
    ? 'leave'
    : [
        step.change.transition,
        ...step.change.changes.map(({ kind, node }) => `${kind} ${String(node)}`),
      ];
}

const REPLACED = { voters: [2, 3, 4], learners: [] };
const WITH_LEARNER: ConfState = { ...votersOnly([1, 2, 3]), learners: [4] };
const JOINT: ConfState = { ...votersOnly([2, 3, 4]), votersOutgoing: [1, 2, 3] };

test('a node is replaced by steps: it listens, both lists decide, the old one is let go', () => {
  const steps = [votersOnly([1, 2, 3]), WITH_LEARNER, JOINT, votersOnly([2, 3, 4])].map((conf) =>
    describe(nextStep(conf, REPLACED, viewOf(2))),
  );
  assert.deepEqual(steps, [
    ['auto', 'addLearner 4'],
    ['explicit', 'addVoter 4', 'remove 1'],
    'leave',
    'none',
  ]);
});

test('a leader that leaves hands over first, even while the other groups come first', () => {
  // It would wait for ever: the others do not tell it any more how they go on.
  for (const mayDrop of [true, false]) {
    const step = nextStep(WITH_LEARNER, REPLACED, viewOf(1, { mayDrop }));
    assert.equal(describe(step), 'hand over to 2');
  }
  const step = nextStep(WITH_LEARNER, REPLACED, viewOf(2, { mayDrop: false }));
  assert.equal(describe(step), 'wait: the other groups come first');
});

test('an only node hands over in the joint configuration, which is left once the other groups are done', () => {
  const goal = { voters: [4], learners: [] };
  const conf = { ...votersOnly([1]), learners: [4] };
  const joint = { ...votersOnly([4]), votersOutgoing: [1] };
  const waits = { mayDrop: false };
  assert.deepEqual(describe(nextStep(conf, goal, viewOf(1, waits))), [
    'explicit',
    'addVoter 4',
    'remove 1',
  ]);
  assert.equal(describe(nextStep(joint, goal, viewOf(1, waits))), 'hand over to 4');
  assert.equal(
    describe(nextStep(joint, goal, viewOf(4, waits))),
    'wait: the other groups come first',
  );
  assert.equal(describe(nextStep(joint, goal, viewOf(4))), 'leave');
});

test('voters do not change while one of them lags, or too few of them are heard of', () => {
  const lagging = viewOf(2, { hasCaughtUp: (node) => node !== 4 });
  assert.equal(
    describe(nextStep(WITH_LEARNER, REPLACED, lagging)),
    'wait: node 4 has not caught up',
  );
  const alone = viewOf(2, { isFit: (node) => node === 2 });
  assert.equal(
    describe(nextStep(WITH_LEARNER, REPLACED, alone)),
    'wait: only 1 of 3 voters to be are heard of',
  );
});

test('a leader that leaves waits until somebody can take over', () => {
  const step = nextStep(WITH_LEARNER, REPLACED, viewOf(1, { heirOf: () => undefined }));
  assert.equal(describe(step), 'wait: none of 2, 3 can take the group over');
});
