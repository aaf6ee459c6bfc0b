import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  changeConf,
  checkConfState,
  enterJoint,
  isJoint,
  leaveJoint,
  nodesOf,
  simpleChange,
} from '../src/changer.js';
import { LEAVE_JOINT, type NodeChange } from '../src/conf-change.js';
import { isRaftError } from '../src/errors.js';
import type { ConfState, NodeId } from '../src/types.js';
import { conf, NO_DATA } from './support/entries.js';

const nodeChange = fc.record<NodeChange>({
  kind: fc.constantFrom('addVoter', 'addLearner', 'remove'),
  node: fc.integer({ min: 1, max: 6 }),
});
const nodeChanges = fc.array(nodeChange, { maxLength: 6 });

const add = (node: NodeId): NodeChange => ({ kind: 'addVoter', node });
const listen = (node: NodeId): NodeChange => ({ kind: 'addLearner', node });
const remove = (node: NodeId): NodeChange => ({ kind: 'remove', node });

test('each single step gives the configuration it should', () => {
  const two = conf({ voters: [1, 2] });
  const table: readonly (readonly [ConfState, NodeChange[], ConfState])[] = [
    [conf({}), [add(1)], conf({ voters: [1] })],
    [two, [add(3)], conf({ voters: [1, 2, 3] })],
    [two, [add(2)], two],
    [two, [remove(2)], conf({ voters: [1] })],
    [two, [remove(9)], two],
    [two, [listen(3)], conf({ voters: [1, 2], learners: [3] })],
    [two, [listen(2)], conf({ voters: [1], learners: [2] })],
    [conf({ voters: [1], learners: [2] }), [add(2)], two],
    [conf({ voters: [1], learners: [2] }), [listen(2)], conf({ voters: [1], learners: [2] })],
    [conf({ voters: [1], learners: [2] }), [remove(2)], conf({ voters: [1] })],
    [two, [listen(3), listen(4), add(5)], conf({ voters: [1, 2, 5], learners: [3, 4] })],
    [two, [add(3), remove(3)], two],
  ];
  for (const [before, changes, after] of table) {
    assert.deepEqual(simpleChange(before, changes), after);
  }
});

test('a joint configuration keeps the old voters and tells who listens later', () => {
  const before = conf({ voters: [1, 2, 3], learners: [4] });
  const joint = enterJoint(before, [remove(1), listen(2), add(4), add(5), listen(6)], {
    autoLeave: true,
  });
  assert.deepEqual(joint, {
    voters: [3, 4, 5],
    votersOutgoing: [1, 2, 3],
    learners: [6],
    learnersNext: [2],
    autoLeave: true,
  });
  assert.deepEqual(leaveJoint(joint), conf({ voters: [3, 4, 5], learners: [2, 6] }));
});

test('who was to listen next may be made a voter or removed before the joint configuration is entered', () => {
  const before = conf({ voters: [1, 2, 3] });
  const options = { autoLeave: false };
  const again = enterJoint(before, [listen(2), add(2)], options);
  assert.deepEqual(again.learnersNext, []);
  assert.deepEqual(again.voters, [1, 2, 3]);
  const gone = leaveJoint(enterJoint(before, [listen(2), remove(2)], options));
  assert.deepEqual(gone, conf({ voters: [1, 3] }));
});

test('the transition decides how a change is made', () => {
  const before = conf({ voters: [1, 2, 3] });
  const change = (transition: 'auto' | 'implicit' | 'explicit', ...changes: NodeChange[]) =>
    changeConf(before, { transition, changes, context: NO_DATA });
  assert.equal(isJoint(change('auto', add(4))), false);
  assert.equal(change('auto', add(4), add(5)).autoLeave, true);
  assert.equal(change('implicit', add(4)).autoLeave, true);
  assert.equal(isJoint(change('explicit', add(4))), true);
  assert.equal(change('explicit', add(4)).autoLeave, false);
  assert.deepEqual(changeConf(change('explicit', add(4)), LEAVE_JOINT).voters, [1, 2, 3, 4]);
});

test('a change that cannot be made is refused', () => {
  const voters = conf({ voters: [1, 2, 3] });
  const joint = enterJoint(voters, [add(4)], { autoLeave: false });
  const options = { autoLeave: false };
  const table: readonly (readonly [string, RegExp, () => ConfState])[] = [
    ['two voters at once', /more than one voter/, () => simpleChange(voters, [add(4), add(5)])],
    ['one for another', /more than one voter/, () => simpleChange(voters, [add(4), remove(1)])],
    ['a step while joint', /leave it first/, () => simpleChange(joint, [add(5)])],
    ['the last voter', /last voter/, () => simpleChange(conf({ voters: [1] }), [remove(1)])],
    ['the last as learner', /last voter/, () => simpleChange(conf({ voters: [1] }), [listen(1)])],
    ['all voters', /last voter/, () => enterJoint(voters, [1, 2, 3].map(remove), options)],
    ['joint twice', /joint already/, () => enterJoint(joint, [add(5)], options)],
    ['joint from nothing', /no voter to decide/, () => enterJoint(conf({}), [add(1)], options)],
    ['leaving what is not joint', /not joint/, () => leaveJoint(voters)],
    ['node 0', /whole numbers/, () => simpleChange(voters, [add(0)])],
    ['half a node', /whole numbers/, () => simpleChange(voters, [add(1.5)])],
  ];
  for (const [what, message, change] of table) assertInvalid(change, message, what);
});

test('a configuration that breaks a rule is told', () => {
  const table: readonly (readonly [RegExp, Partial<ConfState>])[] = [
    [/named once/, { voters: [2, 1] }],
    [/named once/, { voters: [1, 1] }],
    [/named once/, { voters: [0, 1] }],
    [/named once/, { voters: [1], learners: [4, 3] }],
    [/does not vote/, { voters: [1, 2], learners: [2] }],
    [/does not vote/, { voters: [1], votersOutgoing: [1, 2], learners: [2] }],
    [/outgoing half alone/, { voters: [1, 2], votersOutgoing: [1, 2], learnersNext: [2] }],
    [/outgoing half alone/, { voters: [1], votersOutgoing: [1, 2], learnersNext: [3] }],
    [/can be left/, { voters: [1], autoLeave: true }],
  ];
  for (const [message, parts] of table) {
    assertInvalid(() => checkConfState(conf(parts)), message, JSON.stringify(parts));
  }
});

test('every configuration that changes lead to keeps the rules', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 3 }), nodeChanges), { maxLength: 8 }), (steps) => {
      let present = conf({ voters: [1, 2, 3] });
      for (const [kind, changes] of steps) {
        const next = attempt(() => changeBy(kind, present, changes)) ?? present;
        checkConfState(next);
        assert.ok(next.voters.length > 0);
        assert.deepEqual(nodesOf(next), sorted(new Set(Object.values(next).flat())));
        present = next;
      }
    }),
  );
});

test('entering and leaving a joint configuration is the same as changing sets one by one', () => {
  fc.assert(
    fc.property(nodeChanges, nodeChanges, (setUp, changes) => {
      const before = attempt(() =>
        leaveJoint(enterJoint(conf({ voters: [1, 2, 3] }), setUp, { autoLeave: false })),
      );
      fc.pre(before !== undefined);
      const expected = bySets(before, changes);
      const after = attempt(() => leaveJoint(enterJoint(before, changes, { autoLeave: true })));
      assert.deepEqual(after, expected.voters.length === 0 ? undefined : expected);
    }),
  );
});

test('a single step is what the joint way leads to, and its quorums always meet the old ones', () => {
  fc.assert(
    fc.property(nodeChanges, nodeChange, (setUp, change) => {
      const before = attempt(() =>
        leaveJoint(enterJoint(conf({ voters: [1, 2, 3] }), setUp, { autoLeave: false })),
      );
      fc.pre(before !== undefined);
      const step = attempt(() => simpleChange(before, [change]));
      const joint = attempt(() => leaveJoint(enterJoint(before, [change], { autoLeave: false })));
      assert.deepEqual(step, joint);
      if (step === undefined) return;
      const all = sorted(new Set([...before.voters, ...step.voters]));
      const needed = Math.floor(before.voters.length / 2) + Math.floor(step.voters.length / 2) + 2;
      assert.ok(needed > all.length, 'two quorums of disjoint nodes would fit');
    }),
  );
});

function changeBy(kind: number, present: ConfState, changes: readonly NodeChange[]): ConfState {
  if (kind === 0) return leaveJoint(present);
  if (kind === 1) return simpleChange(present, changes);
  return enterJoint(present, changes, { autoLeave: kind === 2 });
}

/** The second algorithm: every node is a voter, a learner or nothing. */
function bySets(before: ConfState, changes: readonly NodeChange[]): ConfState {
  const voters = new Set(before.voters);
  const learners = new Set(before.learners);
  for (const { kind, node } of changes) {
    voters.delete(node);
    learners.delete(node);
    if (kind === 'addVoter') voters.add(node);
    if (kind === 'addLearner') learners.add(node);
  }
  return conf({ voters: sorted(voters), learners: sorted(learners) });
}

function sorted(nodes: Iterable<unknown>): NodeId[] {
  return [...nodes].filter((id) => typeof id === 'number').sort((a, b) => a - b);
}

function attempt(change: () => ConfState): ConfState | undefined {
  try {
    return change();
  } catch (thrown) {
    assert.ok(isRaftError(thrown, 'ConfChangeInvalid'), String(thrown));
    return undefined;
  }
}

function assertInvalid(change: () => unknown, message: RegExp, what: string): void {
  assert.throws(change, (thrown: Error) => {
    assert.ok(isRaftError(thrown, 'ConfChangeInvalid'), `${what}: ${thrown}`);
    assert.match(thrown.message, message, what);
    return true;
  });
}
