import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { enterJoint, leaveJoint, nodesOf } from '../src/changer.js';
import { encodeConfChange, type NodeChange } from '../src/conf-change.js';
import { isRaftError } from '../src/errors.js';
import { MemoryStorage } from '../src/memory-storage.js';
import { RawNode } from '../src/raw-node.js';
import type { ConfState } from '../src/types.js';
import { add, auto, remove } from './support/changes.js';
import { Cluster, testModes } from './support/cluster.js';
import { bytesOf, conf, snapshotAt } from './support/entries.js';
import { append, voteResponse } from './support/messages.js';
import { Single } from './support/single.js';

const THREE = [1, 2, 3];
const PLAIN = {
  electionTicks: 10,
  heartbeatTicks: 1,
  random: () => 0,
  preVote: false,
  checkQuorum: false,
};

testModes('a candidate that learns of a change applies it before it leads (pitfall 12)', (mode) => {
  const data = encodeConfChange(auto(remove(3)));
  const one = new Single({ voters: THREE, ...mode, preVote: false });
  const change = { term: 1, index: 1, type: 'confChange' as const, data };
  one.step(append({ from: 3, term: 1, entries: [change] }));
  one.tick(10);
  assert.equal(one.status.role, 'candidate');
  const commit = { index: 1, term: 1 };
  one.step(voteResponse({ from: 2, term: 2, reject: true, commit: { index: 1, term: 9 } }));
  assert.equal(one.status.commit, 0, 'another entry is committed there');
  one.step(voteResponse({ from: 3, term: 2, commit }));
  assert.deepEqual([one.status.role, one.host.confState.voters], ['follower', [1, 2]]);
});

test('rubbish in place of a change that a follower passed on harms nobody', () => {
  const one = new Single({ voters: THREE });
  one.leadAndCommit(2, 3);
  const rubbish = { type: 'confChange' as const, data: bytesOf('rubbish') };
  one.step({ type: 'propose', from: 2, to: 1, term: 0, entries: [rubbish] });
  one.acknowledge(2);
  assert.deepEqual([one.applied.at(-1)!.type, one.status.commit], ['normal', 2]);
});

test('a change that is refused does not take its neighbours along', () => {
  const one = new Single({ voters: THREE });
  one.leadAndCommit(2, 3);
  const change = (...changes: NodeChange[]) => {
    return { type: 'confChange' as const, data: encodeConfChange(auto(...changes)) };
  };
  const normal = { type: 'normal' as const, data: bytesOf('x') };
  const entries = [normal, change(add(4)), change(add(5)), normal];
  one.step({ type: 'propose', from: 2, to: 1, term: 0, entries });
  one.acknowledge(2, 3);
  assert.deepEqual(
    one.applied.slice(1).map(({ type, data }) => [type, data.length]),
    [
      ['normal', 1],
      ['confChange', 15],
      ['normal', 0],
      ['normal', 1],
    ],
  );
});

test('a host may check changes itself', () => {
  const one = new Single({ voters: THREE, disableConfChangeValidation: true });
  one.leadAndCommit(2, 3);
  one.run((node) => node.proposeConfChange(auto(add(4))));
  one.run((node) => node.proposeConfChange(auto(add(5))));
  one.acknowledge(2, 3);
  assert.deepEqual(one.host.confState.voters, [1, 2, 3, 4, 5]);
});

testModes(
  'a change that cannot be applied leaves the configuration as it was, everywhere',
  (mode) => {
    const cluster = new Cluster({ voters: [1, 2], ...mode, disableConfChangeValidation: true });
    cluster.elect(1);
    cluster.change(1, 'explicit', remove(1), remove(2));
    cluster.settle();
    cluster.tick(1);
    for (const id of [1, 2]) assert.deepEqual(cluster.host(id).confState, conf({ voters: [1, 2] }));
    cluster.commit(1, 'on');
    assert.deepEqual(cluster.texts(2), ['on']);
  },
);

test('a replica goes by the configuration that was stored, whatever it is, and counts by it', () => {
  const change = fc.record<NodeChange>({
    kind: fc.constantFrom('addVoter', 'addLearner', 'remove'),
    node: fc.integer({ min: 1, max: 6 }),
  });
  const changes = fc.array(change, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(changes, changes, fc.boolean(), fc.boolean(), (before, joint, leave, left) => {
      const made = restorable(before, joint, { autoLeave: leave, left });
      fc.pre(made !== undefined && [...made.voters, ...made.votersOutgoing].includes(1));
      const storage = new MemoryStorage({ ...snapshotAt(5, 1, []), confState: made });
      const node = new RawNode({ ...PLAIN, id: 1, storage });
      assert.deepEqual(node.status().conf, made);
      // It asks the voters of both halves, leads with all of their votes, and knows who only listens.
      node.campaign();
      const voters = nodesOf(made).filter((id) => !made.learners.includes(id));
      const { messages } = node.ready();
      assert.deepEqual(
        messages.map(({ to }) => to),
        voters.filter((id) => id !== 1),
      );
      node.advance();
      for (const from of voters) if (from !== 1) node.step(voteResponse({ from, term: 2 }));
      assert.deepEqual(
        node.status().progress.map(({ id, isLearner }) => [id, isLearner]),
        nodesOf(made).map((id) => [id, made.learners.includes(id)]),
      );
    }),
  );
});

/** A configuration that some changes lead to, joint or not; `undefined` if they cannot be made. */
function restorable(
  before: readonly NodeChange[],
  joint: readonly NodeChange[],
  { autoLeave, left }: { readonly autoLeave: boolean; readonly left: boolean },
): ConfState | undefined {
  try {
    const first = leaveJoint(enterJoint(conf({ voters: THREE }), before, { autoLeave }));
    const next = enterJoint(first, joint, { autoLeave });
    return left ? leaveJoint(next) : next;
  } catch (thrown) {
    assert.ok(isRaftError(thrown, 'ConfChangeInvalid'), String(thrown));
    return undefined;
  }
}
