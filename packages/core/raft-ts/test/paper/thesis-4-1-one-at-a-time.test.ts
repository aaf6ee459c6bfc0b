// Thesis §4.1: configuration changes, one at a time, of one server at a time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeConf } from '../../src/changer.js';
import { LEAVE_JOINT } from '../../src/conf-change.js';
import type { NodeId } from '../../src/types.js';
import { add, auto, explicit, listen, remove } from '../support/changes.js';
import { Cluster, testModes } from '../support/cluster.js';
import { conf } from '../support/entries.js';
import { Single } from '../support/single.js';

const THREE = [1, 2, 3];

testModes(
  'one change at a time: what comes too early becomes an empty entry (thesis §4.1)',
  (mode) => {
    const one = new Single({ voters: THREE, ...mode });
    one.leadAndCommit(2, 3);
    one.run((node) => node.proposeConfChange(auto(add(4))));
    one.run((node) => node.proposeConfChange(auto(add(5))));
    one.acknowledge(2);
    assert.deepEqual(one.host.confState.voters, [1, 2, 3, 4]);
    const [, first, second] = one.applied;
    assert.deepEqual([first!.type, second!.type, second!.data.length], ['confChange', 'normal', 0]);
    one.run((node) => node.proposeConfChange(auto(add(5))));
    one.acknowledge(2, 3);
    assert.deepEqual(one.host.confState.voters, [1, 2, 3, 4, 5]);
  },
);

testModes('a change that cannot be made becomes an empty entry (thesis §4.1)', (mode) => {
  const one = new Single({ voters: [1, 2], ...mode });
  one.leadAndCommit(2);
  const refused = [LEAVE_JOINT, explicit(remove(1), remove(2)), auto(remove(1), remove(2))];
  for (const change of refused) one.run((node) => node.proposeConfChange(change));
  one.acknowledge(2);
  assert.ok(one.applied.every(({ type, data }) => type === 'normal' && data.length === 0));
  one.run((node) => node.proposeConfChange(explicit(add(3))));
  one.acknowledge(2);
  one.run((node) => node.proposeConfChange(auto(add(4))));
  one.acknowledge(2, 3);
  assert.deepEqual(one.host.confState.voters, [1, 2, 3], 'it is joint and must be left first');
});

testModes(
  'no change is made before what the leader found in its log is applied (thesis §4.1)',
  (mode) => {
    const one = new Single({ voters: THREE, ...mode, terms: [1, 1] });
    one.lead(2);
    one.run((node) => node.proposeConfChange(auto(add(4))));
    one.acknowledge(2);
    assert.deepEqual(one.host.confState.voters, THREE);
    one.run((node) => node.proposeConfChange(auto(add(4))));
    one.acknowledge(2);
    assert.deepEqual(one.host.confState.voters, [1, 2, 3, 4]);
  },
);

test('any majority before a step meets any majority after it (thesis §4.1, Figure 4.3)', () => {
  for (const voters of [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]]) {
    for (const change of [...voters, 9].flatMap((id) => [add(id), remove(id), listen(id)])) {
      if (voters.length === 1 && change.node === 1 && change.kind !== 'addVoter') continue;
      const after = changeConf(conf({ voters }), auto(change)).voters;
      for (const old of majoritiesOf(voters)) {
        for (const next of majoritiesOf(after)) {
          assert.ok(
            old.some((id) => next.includes(id)),
            `${old} of ${voters} and ${next} of ${after}`,
          );
        }
      }
    }
  }
});

/** Every set of `voters` that is more than half of them. */
function majoritiesOf(voters: readonly NodeId[]): NodeId[][] {
  const sets = Array.from({ length: 2 ** voters.length }, (_, bits) => {
    return voters.filter((_id, at) => (bits >> at) % 2 === 1);
  });
  return sets.filter((set) => 2 * set.length > voters.length);
}

testModes(
  'a change counts from when it is applied on, not from when it is appended (thesis §4.1)',
  (mode) => {
    // The thesis has servers go by the latest configuration in their logs; here, as in other implementations,
    // they go by the latest that they have applied. That is safe because nobody campaigns with a committed
    // change that it has not applied, and whoever has a change in its log knows that the one before is committed.
    const one = new Single({ voters: THREE, ...mode });
    one.leadAndCommit(2, 3);
    one.run((node) => node.proposeConfChange(auto(add(4))));
    assert.deepEqual(one.node.status().conf.voters, THREE);
    one.acknowledge(2);
    assert.deepEqual(one.node.status().conf.voters, [1, 2, 3, 4], 'two of three have decided');
  },
);

testModes(
  'who has a change in its log knows that the one before is committed (thesis §4.1, OneChangeAtATime)',
  (mode) => {
    const cluster = new Cluster({ voters: THREE, others: [4, 5], ...mode });
    cluster.elect(1);
    // Nothing tells node 2 of the first commit but the append that brings the next change.
    cluster.lose((message) => {
      if (message.to !== 2) return false;
      return (
        message.type === 'heartbeat' || (message.type === 'append' && message.entries.length === 0)
      );
    });
    cluster.change(1, 'auto', add(4));
    cluster.settle();
    assert.deepEqual(cluster.host(2).confState.voters, THREE);
    cluster.change(1, 'auto', add(5));
    cluster.settle();
    assert.deepEqual(cluster.host(1).confState.voters, [1, 2, 3, 4, 5]);
    assert.deepEqual(cluster.host(2).confState.voters, [1, 2, 3, 4]);
  },
);

testModes(
  'changes begun by leaders of two terms never both count (thesis §4.1, as amended in 2015)',
  (mode) => {
    const cluster = new Cluster({ voters: [1, 2, 3, 4], others: [5], ...mode });
    cluster.elect(1);
    const alone = cluster.isolate(1);
    cluster.change(1, 'auto', add(5));
    cluster.settle();
    cluster.tick(1, 40);
    // Node 4 gets nothing from node 2, whose change is on two of four: these do not decide.
    const partly = cluster.lose(({ to, type }) => to === 4 && type === 'append');
    cluster.elect(2);
    cluster.change(2, 'auto', remove(1));
    cluster.settle();
    assert.deepEqual(cluster.host(2).confState.voters, [1, 2, 3, 4]);
    assert.deepEqual([cluster.terms(1), cluster.terms(2), cluster.terms(4)], ['1 1', '1 2 2', '1']);
    // Nodes 1, 4 and 5 would be a majority with node 5, and are none without.
    alone();
    const half = cluster.lose(({ from, to }) => [2, 3].includes(from) || [2, 3].includes(to));
    partly();
    cluster.tick([1, 4, 5], 60);
    assert.ok(!cluster.leaders().some((id) => [1, 4, 5].includes(id)), `${cluster.leaders()} lead`);
    half();
    cluster.tick([1, 2, 3, 4, 5], 60);
    const [leader] = cluster.leaders();
    assert.ok(leader !== undefined && leader !== 5);
    cluster.commit(leader, 'on');
    for (const id of [2, 3, 4]) {
      assert.deepEqual(cluster.texts(id), ['on']);
      assert.deepEqual(cluster.host(id).confState, cluster.host(leader).confState);
      assert.ok(!cluster.host(id).confState.voters.includes(5));
    }
  },
);
