import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfState, votersOnly } from 'raft-ts';
import { checkGivenUp, planRecovery } from '../../src/recover/plan.js';
import type { SurvivingGroup, Survivor } from '../../src/recover/survivor.js';
import type { NodeRow } from '../../src/storage/rows.js';
import { sampleMember } from '../support/samples.js';

const CONF = votersOnly([1, 2, 3]);

interface Sample {
  readonly row?: Partial<NodeRow>;
  /** Of each group: the last entry, by default with term 1 and the index 5. */
  readonly groups?: readonly Partial<SurvivingGroup>[];
}

function survivor(node: number, { row = {}, groups = [{}, {}] }: Sample = {}): Survivor {
  return {
    row: {
      cluster: 'sim',
      clusterId: 'id',
      node,
      incarnation: node,
      groups: groups.length - 1,
      founders: [1, 2, 3],
      members: [1, 2, 3].map(sampleMember),
      expulsion: undefined,
      ...row,
    },
    groups: groups.map((changes, group) => {
      const named = changes.conf?.voters ?? CONF.voters;
      const last = { term: 1, lastTerm: 1, lastIndex: 5, commit: 5 };
      return { group, conf: CONF, named, ...last, ...changes };
    }),
  };
}

test('who is no survivor is given up, whoever names it: the members or a configuration', () => {
  const named = [1, 2, 3, 7];
  const plan = planRecovery([survivor(2, { groups: [{}, { named }] })]);
  assert.deepEqual([plan.node, plan.formerId, plan.givenUp], [2, 'id', [1, 3, 7]]);
  const members = [2, 9].map(sampleMember);
  assert.deepEqual(planRecovery([survivor(2, { row: { members } })]).givenUp, [1, 3, 9]);
});

test('each group is taken from the log that voters would choose, the first of equals (Raft §5.4.1)', () => {
  const conf = votersOnly([1, 2, 3, 4, 5]);
  const first = survivor(1, {
    groups: [
      { conf, lastIndex: 9 },
      { conf, lastTerm: 2, lastIndex: 6, term: 2 },
      { conf, lastIndex: 6, commit: 6 },
    ],
  });
  const second = survivor(2, {
    groups: [
      { conf, lastIndex: 8 },
      { conf, lastIndex: 7, term: 4 },
      { conf, lastTerm: 2, lastIndex: 6, term: 2 },
    ],
  });
  const plan = planRecovery([first, second]);
  assert.deepEqual(
    plan.groups.map(({ from, lastIndex, commit }) => [from, lastIndex, commit]),
    [
      [1, 9, 5],
      [1, 6, 5],
      [2, 6, 6],
    ],
  );
  assert.deepEqual(
    plan.groups.map(({ term }) => term),
    [2, 5, 3],
    'a term that no survivor has voted in',
  );
  const equal = planRecovery([survivor(2), survivor(1)].map((one) => withConf(one, conf)));
  assert.ok(equal.groups.every(({ from }) => from === 2));
});

test('survivors that are a quorum of every group are to be started instead', () => {
  assert.throws(() => planRecovery([survivor(1), survivor(3)]), {
    code: 'MEMBERS_REFUSED',
    message: /no quorum is lost: node 1, 3 can go on without the others/,
  });
  // A joint configuration needs both halves.
  const joint: ConfState = { ...votersOnly([1, 3]), votersOutgoing: [2, 4] };
  const plan = planRecovery(
    [survivor(1), withConf(survivor(3), joint)].map((one) => withConf(one, joint)),
  );
  assert.ok(plan.groups.every(({ hasQuorum }) => !hasQuorum));
  // One group that cannot go on is enough.
  const groups = [{}, { conf: votersOnly([2]) }];
  const one = planRecovery([survivor(1, { groups }), survivor(3, { groups })]);
  assert.deepEqual(
    one.groups.map(({ hasQuorum }) => hasQuorum),
    [true, false],
  );
});

test('the configuration counts that the copy has which knows of most commits', () => {
  const old = { conf: votersOnly([1, 2, 3]), commit: 4 };
  const groups = [old, old];
  const newer = [1, 2].map(() => ({ conf: votersOnly([1, 4, 5]), commit: 5 }));
  const plan = planRecovery([survivor(1, { groups }), survivor(2, { groups: newer })]);
  assert.ok(plan.groups.every(({ hasQuorum }) => !hasQuorum));
});

test('what is given up must be named exactly', () => {
  const plan = planRecovery([survivor(1)]);
  checkGivenUp(plan, [3, 2, 2]);
  for (const nodes of [[], [2], [2, 3, 4], [1, 2, 3]]) {
    assert.throws(() => checkGivenUp(plan, nodes), {
      code: 'INVALID_ARGUMENT',
      message: /would be given up is node 2, 3, not/,
    });
  }
});

test('directories of different clusters, or of one node twice, are refused', () => {
  for (const row of [{ clusterId: 'other' }, { cluster: 'other' }, { groups: 7 }]) {
    assert.throws(() => planRecovery([survivor(1), survivor(2, { row })]), {
      code: 'NODE_MISMATCH',
    });
  }
  assert.throws(() => planRecovery([survivor(1), survivor(1)]), { message: /of the same node/ });
  const fresh = survivor(1, { row: { clusterId: '' } });
  assert.throws(() => planRecovery([fresh]), { message: /never heard of its cluster/ });
});

function withConf(one: Survivor, conf: ConfState): Survivor {
  return { ...one, groups: one.groups.map((group) => ({ ...group, conf })) };
}
