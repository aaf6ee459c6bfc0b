import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as rules from '../../src/members/members-rules.js';
import { conforms, goalOf } from '../../src/members/members-state.js';
import { GROUPS, MembersModel, modelMember } from '../support/members-model.js';

/** What happens to a model: to a node, to a group with a candidate for its leader, or at large. */
type Event = readonly [kind: keyof typeof HAPPENS, at: number, group: number];

const HAPPENS = {
  dies: (model: MembersModel, node: number) => model.kill(node),
  returns: (model: MembersModel, node: number) => model.revive(node),
  hears: (model: MembersModel, _node: number, group: number) => model.hear(group),
  elects: (model: MembersModel, node: number, group: number) => void model.step(group, node),
  steps: (model: MembersModel, _node: number, group: number) =>
    void model.step(group, model.groups[group]!.leader),
  steers: (model: MembersModel) => model.steer(),
  isAdded: (model: MembersModel, node: number) =>
    model.say((state, view) =>
      rules.add(state, { member: comer(model, node), promote: node > 2 }, view),
    ),
  isPromoted: (model: MembersModel, node: number) =>
    model.say((state, view) => rules.promote(state, { node }, view)),
  isRemoved: (model: MembersModel, node: number) =>
    model.say((state, view) => rules.remove(state, { node }, view)),
  isReplaced: (model: MembersModel, old: number) =>
    model.say((state, view) => rules.replace(state, { old, member: comer(model, old + 1) }, view)),
  undoes: (model: MembersModel, at: number) => {
    const { change } = model.state;
    const undo = at > 4 ? rules.promote : rules.remove;
    if (change !== undefined) model.say((state, view) => undo(state, change, view));
  },
};

/** The next id that is free, or now and then one that is not. */
function comer({ state }: MembersModel, at: number): ReturnType<typeof modelMember> {
  return modelMember(at === 1 ? state.last : state.last + 1);
}

const WEIGHTS: Readonly<Record<keyof typeof HAPPENS, number>> = {
  ...{ dies: 2, returns: 3, hears: 6, elects: 3, steps: 12, steers: 5 },
  ...{ isAdded: 1, isPromoted: 1, isRemoved: 1, isReplaced: 2, undoes: 1 },
};

const EVENT: fc.Arbitrary<Event> = fc.tuple(
  fc.oneof(
    ...Object.entries(WEIGHTS).map(([kind, weight]) => {
      return { arbitrary: fc.constant(kind as keyof typeof HAPPENS), weight };
    }),
  ),
  fc.integer({ min: 1, max: 8 }),
  fc.integer({ min: 0, max: GROUPS - 1 }),
);

const SCRIPT = fc.tuple(
  fc.integer({ min: 1, max: 5 }),
  fc.array(EVENT, { maxLength: 150, size: 'max' }),
);

test('whatever dies, returns and is asked for in between, changes are safe at every step and end in the goal', () => {
  const property = fc.property(SCRIPT, ([voters, events]) => {
    const model = new MembersModel(voters);
    for (const [kind, at, group] of events) HAPPENS[kind](model, at, group);
    model.reviveAll();
    model.settle();
    assert.equal(model.state.change, undefined, 'the change is through');
    const goal = goalOf(model.state);
    for (const { conf } of model.groups) assert.ok(conforms(conf, goal));
  });
  fc.assert(property, { numRuns: 300 });
});

test('while a majority is there, a replacement whose new node is lost for ever can be undone at any point', () => {
  for (const isOldThere of [true, false]) {
    for (let stage = 0; stage <= 10; stage++) {
      const model = new MembersModel(3);
      model.say((state, view) => rules.replace(state, { old: 2, member: modelMember(4) }, view));
      if (!isOldThere) model.kill(2);
      for (let at = 0; at < stage; at++) {
        const group = at % GROUPS;
        model.hear(group);
        model.step(group, 1);
        model.steer();
      }
      if (model.state.change === undefined) continue;
      const wasJoining = model.state.change.phase === 'joining';
      model.kill(4);
      model.say((state, view) => rules.remove(state, { node: 4 }, view));
      model.settle();
      const text = `stage ${stage}, the old one ${isOldThere ? 'is there' : 'is lost'}`;
      assert.equal(model.state.change, undefined, text);
      const isBack = isOldThere || wasJoining;
      assert.deepEqual(goalOf(model.state).voters, isBack ? [1, 2, 3] : [1, 3], text);
    }
  }
});

test('a removal that waits for a node which is lost is undone by a promotion', () => {
  const model = new MembersModel(3);
  model.say((state, view) => rules.remove(state, { node: 3 }, view));
  model.kill(2);
  model.settle();
  assert.equal(model.state.change?.kind, 'remove', 'it waits');
  model.say((state, view) => rules.promote(state, { node: 3 }, view));
  model.settle();
  assert.equal(model.state.change, undefined);
  assert.deepEqual(goalOf(model.state).voters, [1, 2, 3]);
});
