import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfState, changeConf, LEAVE_JOINT, votersOnly } from 'raft-ts';
import type { Goal } from '../../src/members/members-state.js';
import { type GroupView, nextStep } from '../../src/members/next-step.js';

/** What a leader sees; by default it is node 1, and all is well. */
interface Seen {
  readonly self?: number;
  readonly lost?: readonly number[];
  readonly lagging?: readonly number[];
  /** Who can take the group over, in this order; by default all but those that are lost. */
  readonly heirs?: readonly number[];
  readonly mayDrop?: boolean;
}

function viewOf({ self = 1, lost = [], lagging = [], heirs, mayDrop = true }: Seen): GroupView {
  const isFit = (node: number): boolean => !lost.includes(node);
  return {
    self,
    isFit,
    hasCaughtUp: (node) => isFit(node) && !lagging.includes(node),
    heirOf: (nodes) =>
      (heirs ?? nodes).find((node) => nodes.includes(node) && isFit(node) && node !== self),
    mayDrop,
  };
}

/** `1 2 3+4`: voters 1, 2, 3 and the learner 4; `1 4/1 2`: joint, with 1 and 2 as the outgoing half. */
function conf(text: string): ConfState {
  const [halves = '', learners = ''] = text.split('+');
  const [voters = '', outgoing = ''] = halves.split('/');
  const base = votersOnly(ids(voters));
  return { ...base, votersOutgoing: ids(outgoing), learners: ids(learners) };
}

function goal(text: string): Goal {
  const [voters = '', learners = ''] = text.split('+');
  return { voters: ids(voters), learners: ids(learners) };
}

function ids(text: string): number[] {
  return text.split(' ').filter(Boolean).map(Number);
}

/** The next step in words. */
function step(from: string, to: string, seen: Seen = {}): string {
  const next = nextStep(conf(from), goal(to), viewOf(seen));
  if (next === undefined) return 'nothing';
  if (next.kind === 'wait') return `waits: ${next.why}`;
  if (next.kind === 'transfer') return `hands over to ${next.to}`;
  const { change } = next;
  if (change === LEAVE_JOINT) return 'leaves the joint one';
  const changes = change.changes.map(({ kind, node }) => `${kind} ${node}`).join(', ');
  return change.transition === 'explicit' ? `joint: ${changes}` : changes;
}

/** Rule by rule: configuration, goal, what the leader sees, and what it does. */
const CASES: Readonly<Record<string, ReadonlyArray<readonly [string, string, Seen, string]>>> = {
  'a group that is as it should be is left alone, whatever happens around it': [
    ['1 2 3', '1 2 3', {}, 'nothing'],
    ['1 2 3+4', '1 2 3+4', { lost: [2, 3, 4] }, 'nothing'],
    ['1', '1', {}, 'nothing'],
  ],
  'whoever comes is a learner first, be it away or not': [
    ['1 2 3', '1 2 3 4', {}, 'addLearner 4'],
    ['1 2 3', '1 2 3+4', {}, 'addLearner 4'],
    ['1 2 3', '1 2 3 4', { lost: [4] }, 'addLearner 4'],
    ['1 2 3', '1 3 4', { lost: [2] }, 'addLearner 4'],
    ['1 2 3', '1 4 5', { mayDrop: false }, 'addLearner 4'],
    ['1 2 3+4', '1 4 5', {}, 'addLearner 5'],
  ],
  'a learner votes once it has caught up': [
    ['1 2 3+4', '1 2 3 4', {}, 'addVoter 4'],
    ['1 2 3+4', '1 2 3 4', { lagging: [4] }, 'waits: node 4 has not caught up'],
    ['1 2 3+4', '1 2 3 4', { lost: [4] }, 'waits: node 4 has not caught up'],
    ['1 2 3+4', '1 3 4', { lagging: [4] }, 'waits: node 4 has not caught up'],
    ['1 2 3+4 5', '1 4 5', { lagging: [5] }, 'waits: node 5 has not caught up'],
    ['1 2+3', '1 2 3', { lost: [2] }, 'addVoter 3'],
  ],
  'one voter comes or goes by a simple step, more by a joint configuration': [
    ['1 2 3', '1 2', {}, 'remove 3'],
    ['1 2 3+4', '1 3 4', {}, 'joint: addVoter 4, remove 2'],
    ['1 2 3+4 5', '1 4 5', {}, 'joint: addVoter 4, addVoter 5, remove 2, remove 3'],
    ['1 2 3', '1', {}, 'joint: remove 2, remove 3'],
    ['1+2', '2', {}, 'joint: addVoter 2, remove 1'],
  ],
  'a voter can become a learner': [
    ['1 2 3', '1 2+3', {}, 'addLearner 3'],
    ['1 2 3+4', '1 2 4+3', {}, 'joint: addVoter 4, addLearner 3'],
    ['1 2 3', '2 3+1', {}, 'hands over to 2'],
  ],
  'voters that can be reached are a majority after every step': [
    ['1 2 3', '1 2', { lost: [2] }, 'waits: only 1 of 2 voters to be are heard of'],
    ['1 2 3 4', '1 2 3', { lost: [3] }, 'remove 4'],
    ['1 2 3 4 5', '1 2 3 4', { lost: [3, 4] }, 'waits: only 2 of 4 voters to be are heard of'],
    ['1 2 3+4', '1 3 4', { lost: [3] }, 'joint: addVoter 4, remove 2'],
    ['1 2 3+4', '1 3 4', { lost: [2] }, 'joint: addVoter 4, remove 2'],
    ['1 2 3 4', '1 2 3 4+5', { lost: [3, 4] }, 'addLearner 5'],
  ],
  'the system group lets go last': [
    ['1 2 3', '1 2', { mayDrop: false }, 'waits: the other groups come first'],
    ['1 2 3+4', '1 3 4', { mayDrop: false }, 'waits: the other groups come first'],
    ['1 2 3+4', '1 2 3', { mayDrop: false }, 'waits: the other groups come first'],
    ['1 2 3+4', '1 2 3 4', { mayDrop: false }, 'addVoter 4'],
    ['1 3 4/1 2 3', '1 3 4', { mayDrop: false }, 'waits: the other groups come first'],
  ],
  'a leader that goes hands over to one that stays': [
    ['1 2 3', '2 3', {}, 'hands over to 2'],
    ['1 2 3', '2 3', { heirs: [3, 2] }, 'hands over to 3'],
    ['1 2 3', '2 3', { heirs: [] }, 'waits: none of 2, 3 can take the group over'],
    ['1 2 3+4', '2 3 4', { heirs: [4, 3] }, 'hands over to 3'],
    ['1 2 3', '2 3', { self: 2 }, 'remove 1'],
    // It would wait for ever: the others do not tell it any more how they go on.
    ['1 2 3+4', '2 3 4', { mayDrop: false }, 'hands over to 2'],
    ['1 2 3+4', '2 3 4', { self: 2, mayDrop: false }, 'waits: the other groups come first'],
    ['1 2 3+4', '2 3 4', { self: 3 }, 'joint: addVoter 4, remove 1'],
  ],
  'a joint configuration is left on purpose, by a leader that stays': [
    ['1 3 4/1 2 3', '1 3 4', {}, 'leaves the joint one'],
    ['1 3 4/1 2 3', '1 2 3', {}, 'leaves the joint one'],
    ['1 3 4/1 2 3', '1 3 4', { lost: [3] }, 'leaves the joint one'],
    ['1 3 4/1 2 3', '1 3 4', { self: 2, mayDrop: false }, 'hands over to 1'],
    ['1 3 4/1 2 3', '1 3 4', { self: 2 }, 'hands over to 1'],
    ['2/1', '2', {}, 'hands over to 2'],
    ['2/1', '2', { lost: [2] }, 'waits: none of 2 can take the group over'],
    ['2/1', '2', { self: 2 }, 'leaves the joint one'],
  ],
  'an only node hands over in the joint configuration, which is left once the other groups are done':
    [
      ['1+4', '4', { mayDrop: false }, 'joint: addVoter 4, remove 1'],
      ['4/1', '4', { mayDrop: false }, 'hands over to 4'],
      ['4/1', '4', { self: 4, mayDrop: false }, 'waits: the other groups come first'],
      ['4/1', '4', { self: 4 }, 'leaves the joint one'],
    ],
  'a learner that nobody wants goes after the voters are right': [
    ['1 2 3+4', '1 2 3', {}, 'remove 4'],
    ['1 2 3+4', '1 2', {}, 'remove 3'],
    ['1 2 3+4', '1 2 3', { lost: [4] }, 'remove 4'],
    ['1 2 3+4 5', '1 2 3+5', {}, 'remove 4'],
  ],
};

for (const [rule, cases] of Object.entries(CASES)) {
  test(rule, () => {
    for (const [from, to, seen, does] of cases) {
      assert.equal(step(from, to, seen), does, `${from} to ${to}, ${JSON.stringify(seen)}`);
    }
  });
}

test('a joint configuration that leaves itself is waited for', () => {
  const joint = { ...conf('1 3 4/1 2 3'), autoLeave: true };
  assert.deepEqual(nextStep(joint, goal('1 3 4'), viewOf({})), {
    kind: 'wait',
    why: 'the joint configuration is being left',
  });
});

/** All configurations on the way, the leader being where it is handed to. */
function wayOf(from: string, to: string, seen: Seen = {}): string[] {
  const way: string[] = [];
  let now = conf(from);
  let self = seen.self ?? 1;
  for (let count = 0; count < 10; count++) {
    const next = nextStep(now, goal(to), viewOf({ ...seen, self }));
    if (next?.kind === 'transfer') self = next.to;
    if (next?.kind !== 'transfer' && next?.kind !== 'change') return way;
    if (next.kind === 'change') now = changeConf(now, next.change);
    way.push(next.kind === 'change' ? textOf(now) : `${self} leads`);
  }
  throw new Error('it has no end');
}

function textOf({ voters, votersOutgoing, learners, learnersNext }: ConfState): string {
  const outgoing = votersOutgoing.length > 0 ? `/${votersOutgoing.join(' ')}` : '';
  const listening = learners.length > 0 ? `+${learners.join(' ')}` : '';
  const next = learnersNext.length > 0 ? ` then +${learnersNext.join(' ')}` : '';
  return `${voters.join(' ')}${outgoing}${listening}${next}`;
}

test('a replacement is to add, to promote and to remove, the last two at once', () => {
  assert.deepEqual(wayOf('1 2 3', '1 3 4'), ['1 2 3+4', '1 3 4/1 2 3', '1 3 4']);
  assert.deepEqual(wayOf('1 2 3', '2 3 4'), ['1 2 3+4', '2 leads', '2 3 4/1 2 3', '2 3 4']);
  assert.deepEqual(wayOf('1', '2'), ['1+2', '2/1', '2 leads', '2']);
});

test('a replacement that is undone goes back from wherever it is', () => {
  assert.deepEqual(wayOf('1 2 3+4', '1 2 3'), ['1 2 3']);
  assert.deepEqual(wayOf('1 3 4/1 2 3', '1 2 3'), ['1 3 4', '1 3 4+2', '1 2 3/1 3 4', '1 2 3']);
  assert.deepEqual(wayOf('1 3 4', '1 2 3'), ['1 3 4+2', '1 2 3/1 3 4', '1 2 3']);
});

test('a voter that becomes a learner while another one comes goes on hearing everything', () => {
  assert.deepEqual(wayOf('1 2 3+4', '1 2 4+3'), ['1 2 4/1 2 3 then +3', '1 2 4+3']);
});
