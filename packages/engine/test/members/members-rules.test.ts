import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MembersView } from '../../src/members/members-refusals.js';
import * as rules from '../../src/members/members-rules.js';
import { goalOf, type MembersState } from '../../src/members/members-state.js';
import { modelMember as member } from '../support/members-model.js';

type Rule = (state: MembersState, view: MembersView) => rules.Ruling;

interface Seen {
  readonly lost?: readonly number[];
  /** Groups in which learners lag. */
  readonly lag?: number;
  readonly membersMax?: number;
}

function viewOf({ lost = [], lag = 0, membersMax = 5 }: Seen = {}): MembersView {
  const isReachable = (node: number): boolean => !lost.includes(node);
  return { isReachable, lagOf: () => lag, groups: 4, membersMax, clusterId: 'id' };
}

const add =
  (node: number, promote = true): Rule =>
  (state, view) =>
    rules.add(state, { member: member(node), promote }, view);
const promote =
  (node: number): Rule =>
  (state, view) =>
    rules.promote(state, { node }, view);
const remove =
  (node: number): Rule =>
  (state, view) =>
    rules.remove(state, { node }, view);
const replace =
  (old: number, node: number): Rule =>
  (state, view) =>
    rules.replace(state, { old, member: member(node) }, view);
const prefer =
  (group: number, node: number | undefined): Rule =>
  (state) =>
    rules.prefer(state, { group, node });
const move =
  (node: number, to: number): Rule =>
  (state) =>
    rules.move(state, { ...member(to), node });
/** The steering goes on with what is under way. */
const advance: Rule = (state) => rules.advance(state, state.change!.number);
const finish: Rule = (state) => rules.finish(state, state.change!.number);

/** The state of a cluster of nodes 1 to `voters` after some messages, all of which must be taken. */
function after(voters: number, ...steps: readonly Rule[]): MembersState {
  const ids = Array.from({ length: voters }, (_, at) => at + 1);
  const begun = rules.found({ id: 'id', members: ids.map(member) }, undefined);
  return steps.reduce((state, step) => taken(step(state, viewOf())), begun);
}

function taken(ruling: rules.Ruling): MembersState {
  if (rules.isRefusal(ruling)) assert.fail(`refused: ${ruling.message}`);
  return ruling;
}

/** Roles as `1v 2v 4l`, and the change as `replace 2 by 4, joining`. */
function text({ nodes, change }: MembersState): string {
  const roles = nodes.map(({ node, role }) => `${node}${role[0] === 'l' ? role.slice(0, 2) : 'v'}`);
  if (change === undefined) return roles.join(' ');
  const { kind, node, old, phase } = change;
  const what = old === undefined ? `${kind} ${node}` : `${kind} ${old} by ${node}`;
  return `${roles.join(' ')}: ${what}, ${phase}`;
}

test('every order goes its way, learner first, and ends with nobody leaving', () => {
  const ways: ReadonlyArray<readonly [readonly Rule[], string]> = [
    [[], '1v 2v 3v'],
    [[add(4)], '1v 2v 3v 4le: add 4, joining'],
    [[add(4), advance], '1v 2v 3v 4v: add 4, changing'],
    [[add(4), advance, finish], '1v 2v 3v 4v'],
    [[add(4, false), finish], '1v 2v 3v 4le'],
    [[add(4, false), finish, promote(4)], '1v 2v 3v 4v: promote 4, changing'],
    [[add(4, false), finish, remove(4)], '1v 2v 3v 4le: remove 4, changing'],
    [[remove(3)], '1v 2v 3le: remove 3, changing'],
    [[remove(3), finish], '1v 2v'],
    [[replace(2, 4)], '1v 2v 3v 4le: replace 2 by 4, joining'],
    [[replace(2, 4), advance], '1v 2le 3v 4v: replace 2 by 4, changing'],
    [[replace(2, 4), advance, finish], '1v 3v 4v'],
  ];
  for (const [steps, want] of ways) {
    // Learners and leavers begin with the same letter: who leaves is in no goal.
    const state = after(3, ...steps);
    assert.equal(text(state), want);
    const { voters, learners } = goalOf(state);
    const wanted = [...voters, ...learners];
    const leaving = state.nodes.filter(({ node }) => !wanted.includes(node));
    assert.ok(leaving.every(({ role }) => role === 'leaving') && leaving.length < 2);
    assert.ok(state.change !== undefined || leaving.length === 0);
  }
});

test('a learner is replaced by a learner', () => {
  const state = after(3, add(4, false), finish, replace(4, 5), advance, finish);
  assert.deepEqual(goalOf(state), { voters: [1, 2, 3], learners: [5] });
});

test('what was begun is undone, whichever way it has come', () => {
  const ways: ReadonlyArray<readonly [readonly Rule[], Seen, Rule, readonly number[], string]> = [
    [[add(4)], {}, remove(4), [1, 2, 3], 'remove 4'],
    [[add(4), advance], {}, remove(4), [1, 2, 3], 'remove 4'],
    [[replace(2, 4)], {}, remove(4), [1, 2, 3], 'remove 4'],
    [[replace(2, 4), advance], {}, remove(4), [1, 2, 3], 'replace 2'],
    [[replace(2, 4), advance], { lost: [4] }, remove(4), [1, 2, 3], 'replace 2'],
    [[replace(2, 4), advance], { lost: [2, 4] }, remove(4), [1, 3], 'remove 4'],
    [[replace(2, 4), advance, remove(4)], {}, remove(2), [1, 3, 4], 'replace 4'],
    [[remove(3)], {}, promote(3), [1, 2, 3], 'promote 3'],
    [[remove(3)], { lost: [2] }, promote(3), [1, 2, 3], 'promote 3'],
    [[remove(3), promote(3)], {}, remove(3), [1, 2], 'remove 3'],
  ];
  for (const [steps, seen, undo, voters, kind] of ways) {
    const before = after(3, ...steps);
    const state = taken(undo(before, viewOf(seen)));
    const { change } = state;
    assert.deepEqual(goalOf(state).voters, voters);
    assert.equal(`${change!.kind} ${change!.node}`, kind);
    assert.equal(
      change!.number,
      before.changes + 1,
      'it is another change: the steering of the old one is void',
    );
    assert.deepEqual(goalOf(taken(finish(state, viewOf()))).voters, voters);
  }
});

/** What is refused: after these steps, this, seen so. */
const REFUSED: ReadonlyArray<readonly [readonly Rule[], Rule, Seen, string, RegExp]> = [
  // Whom there is not, or who is there already.
  [[], promote(9), {}, 'NODE_NOT_FOUND', /no node 9: deltabase cluster members lists them/],
  [[], remove(9), {}, 'NODE_NOT_FOUND', /no node 9/],
  [[], replace(9, 4), {}, 'NODE_NOT_FOUND', /no node 9/],
  [[], prefer(1, 9), {}, 'NODE_NOT_FOUND', /no node 9/],
  [[], move(9, 9), {}, 'NODE_NOT_FOUND', /no node 9/],
  [[remove(3), finish], remove(3), {}, 'NODE_NOT_FOUND', /node 3 is no member any more/],
  [[remove(3), finish], replace(3, 4), {}, 'NODE_NOT_FOUND', /node 3 is no member any more/],
  [[], add(2), {}, 'MEMBERS_REFUSED', /node 2 is a member already/],
  [[], replace(2, 2), {}, 'MEMBERS_REFUSED', /node 2 is a member already/],
  [[], replace(2, 3), {}, 'MEMBERS_REFUSED', /node 3 is a member already/],
  [[], promote(2), {}, 'MEMBERS_REFUSED', /node 2 is a voter already/],
  // Ids are never used again, and are not without end.
  [[remove(3), finish], add(3), {}, 'MEMBERS_REFUSED', /up to 3 have been: use 4 or a higher one/],
  [[add(9), remove(9), finish], add(9), {}, 'MEMBERS_REFUSED', /use 10 or a higher one/],
  [[add(9), remove(9), finish], replace(1, 5), {}, 'MEMBERS_REFUSED', /use 10 or a higher one/],
  [[], add(65_536), {}, 'INVALID_ARGUMENT', /use a whole number from 4 to 65535/],
  [[], add(4.5), {}, 'INVALID_ARGUMENT', /use a whole number from 4 to 65535/],
  [[], add(4), { membersMax: 3 }, 'MEMBERS_REFUSED', /3 members, as many as may be: remove one/],
  [[], replace(2, 4), { membersMax: 3 }, 'MEMBERS_REFUSED', /as many as may be/],
  // Addresses are each node's own.
  [[], move(2, 3), {}, 'MEMBERS_REFUSED', /node 3 is at that address: give node 2 its own/],
  // One change at a time; the way out is named.
  [[add(4)], remove(3), {}, 'MEMBERS_REFUSED', /node 4 is being added.*cluster remove 4/],
  [[add(4)], add(5), {}, 'MEMBERS_REFUSED', /only one is made at a time/],
  [[add(4)], add(4, true), {}, '', /^$/],
  [[add(4)], replace(2, 5), {}, 'MEMBERS_REFUSED', /node 4 is being added/],
  [[add(4)], replace(2, 4), {}, 'MEMBERS_REFUSED', /node 4 is being added/],
  [[add(4)], promote(4), {}, 'MEMBERS_REFUSED', /node 4 is being added/],
  [[add(4)], add(4, false), {}, 'MEMBERS_REFUSED', /node 4 is being added/],
  [[add(4, false)], add(4), {}, 'MEMBERS_REFUSED', /node 4 is being added/],
  [[remove(3)], remove(2), {}, 'MEMBERS_REFUSED', /node 3 is being removed.*cluster promote 3/],
  [[remove(3)], promote(2), {}, 'MEMBERS_REFUSED', /node 3 is being removed/],
  [
    [replace(2, 4)],
    remove(2),
    {},
    'MEMBERS_REFUSED',
    /node 2 is being replaced by node 4.*remove 4/,
  ],
  [[replace(2, 4), advance], remove(2), {}, 'MEMBERS_REFUSED', /by node 4.*cluster remove 4/],
  [[replace(2, 4), advance], replace(2, 5), {}, 'MEMBERS_REFUSED', /by node 4/],
  [
    [add(4, false), finish, promote(4)],
    remove(3),
    {},
    'MEMBERS_REFUSED',
    /node 4 is being promoted.*cluster remove 4/,
  ],
  // Whoever is to vote has caught up, and is there.
  [
    [add(4, false), finish],
    promote(4),
    { lag: 3 },
    'MEMBERS_REFUSED',
    /node 4 has not caught up in 3 of 4 groups: see that it runs/,
  ],
  [[remove(3)], promote(3), { lost: [3] }, 'MEMBERS_REFUSED', /node 3 cannot be reached/],
  [[], prefer(1, undefined), {}, '', /^$/],
  [[add(4, false), finish], prefer(1, 4), {}, 'MEMBERS_REFUSED', /node 4 does not vote.*promote/],
  [[remove(3)], prefer(1, 3), {}, 'MEMBERS_REFUSED', /node 3 does not vote/],
  // Never below a majority that can be reached.
  [
    [],
    remove(2),
    { lost: [3] },
    'MEMBERS_REFUSED',
    /without node 2 only 1 of 2 voters .* bring node 3 back first, or replace it/,
  ],
  [[remove(3), finish], remove(2), { lost: [1] }, 'MEMBERS_REFUSED', /only 0 of 1 voters/],
  [
    [remove(3), finish, remove(2), finish],
    remove(1),
    {},
    'MEMBERS_REFUSED',
    /node 1 is the last voter: add another node first/,
  ],
  [
    [remove(3), finish, remove(2), finish, add(4, false), finish],
    remove(1),
    {},
    'MEMBERS_REFUSED',
    /the last voter/,
  ],
  [
    [add(4, false), finish],
    promote(4),
    { lost: [2, 3] },
    'MEMBERS_REFUSED',
    /with node 4 as a voter only 2 of 4 voters/,
  ],
  [
    [],
    replace(1, 4),
    { lost: [2, 3] },
    'MEMBERS_REFUSED',
    /of the voters that stay only 0 of 2 can be reached.*bring others back/,
  ],
];

test('what would be wrong is refused with its code and what to do, and what is not is taken', () => {
  for (const [steps, rule, seen, code, says] of REFUSED) {
    const state = after(3, ...steps);
    const ruling = rule(state, viewOf(seen));
    const refusal = rules.isRefusal(ruling) ? ruling : { code: '', message: '' };
    assert.equal(refusal.code, code, `${text(state)}: ${refusal.message || says}`);
    assert.match(refusal.message, says);
  }
});

test('an address that another node has is refused, be it for peers or for clients', () => {
  for (const taken of [{ peerAddress: 'p2:1' }, { clientAddress: 'c2:1' }]) {
    const comer = { ...member(4), ...taken };
    for (const ruling of [
      rules.add(after(3), { member: comer, promote: true }, viewOf()),
      rules.replace(after(3), { old: 1, member: comer }, viewOf()),
    ]) {
      assert.ok(rules.isRefusal(ruling) && /node 2 is at that address/.test(ruling.message));
    }
  }
});

test('a node that is lost may be removed or replaced while the others are a majority', () => {
  assert.deepEqual(goalOf(taken(remove(3)(after(3), viewOf({ lost: [3] })))).voters, [1, 2]);
  taken(replace(3, 4)(after(3), viewOf({ lost: [3] })));
  taken(replace(1, 2)(after(1), viewOf()));
  taken(replace(2, 4)(after(3), viewOf({ lost: [3] })));
});

test('what is asked for again while it is under way is the same change; at another address it is not', () => {
  for (const order of [add(4), replace(2, 4), remove(3)]) {
    const state = after(3, order);
    assert.equal(order(state, viewOf()), state);
  }
  const state = after(3, add(4, false), finish, promote(4));
  assert.equal(promote(4)(state, viewOf({ lag: 4 })), state);
  const elsewhere = { ...member(4), peerAddress: 'other:1' };
  const moved = rules.add(after(3, add(4)), { member: elsewhere, promote: true }, viewOf());
  assert.ok(rules.isRefusal(moved) && /being added/.test(moved.message));
});

test('the steering of a change that is over, or not yet so far, changes nothing', () => {
  const state = after(3, add(4));
  for (const number of [0, 2]) {
    assert.equal(rules.advance(state, number), state);
    assert.equal(rules.finish(state, number), state);
  }
  const changing = after(3, add(4), advance);
  assert.equal(rules.advance(changing, 1), changing);
  const done = after(3, add(4), advance, finish);
  assert.equal(rules.advance(done, 1), done);
  assert.equal(rules.finish(done, 1), done);
});

test('a node has the incarnation it was first met under, and no other', () => {
  const met = rules.met(after(3), 2, 77);
  assert.equal(met.nodes[1]!.incarnation, 77);
  assert.equal(rules.met(met, 2, 78), met);
  assert.equal(rules.met(met, 9, 1), met);
  const moved = taken(move(2, 7)(met, viewOf()));
  assert.deepEqual(moved.nodes[1], { ...member(7), node: 2, role: 'voter', incarnation: 77 });
});

test('leaders that an operator wants are kept until taken back, and go with their node', () => {
  const state = after(3, prefer(1, 3), prefer(2, 1), prefer(2, undefined), prefer(0, 2));
  assert.deepEqual(
    [...state.leaders],
    [
      [1, 3],
      [0, 2],
    ],
  );
  const removed = taken(finish(taken(remove(3)(state, viewOf())), viewOf()));
  assert.deepEqual([...removed.leaders], [[0, 2]]);
});

test('a cluster that is recovered goes on with its numbers, under another id, and nothing under way', () => {
  const before = after(3, add(9));
  const recovery = { formerId: 'id', node: 2, takenFrom: [1], givenUp: [3], timeMs: 5 };
  const state = rules.found({ id: 'new', members: [member(2), member(1)], recovery }, before);
  assert.deepEqual(state.recoveries, [recovery]);
  assert.deepEqual([state.id, state.last, state.changes, state.change], ['new', 9, 1, undefined]);
  assert.equal(text(state), '1v 2v');
});
