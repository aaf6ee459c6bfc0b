// Thesis §4.2: a cluster goes on while its configuration changes: catching up new servers (4.2.1), removing the
// leader (4.2.2), disruptive servers (4.2.3), and no step without a leader that could be elected (4.2.4).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, auto, listen, remove } from '../support/changes.js';
import { Cluster, testModes } from '../support/cluster.js';
import { conf } from '../support/entries.js';
import { append, only, vote } from '../support/messages.js';
import { Single } from '../support/single.js';

const THREE = [1, 2, 3];

testModes('a learner gets everything and counts for nothing (thesis §4.2.1)', (mode) => {
  const cluster = new Cluster({ voters: [1, 2], others: [3], ...mode });
  cluster.elect(1);
  cluster.commit(1, 'before');
  cluster.changeTo(1, { transition: 'auto', changes: [listen(3)] });
  assert.deepEqual(cluster.texts(3), ['before']);
  const cut = cluster.isolate(2);
  cluster.commit(1, 'alone');
  assert.deepEqual(cluster.texts(1), ['before'], 'the learner makes no majority');
  cluster.tick(3, 100);
  assert.equal(cluster.status(3).role, 'follower', 'nor does it campaign');
  cut();
});

testModes(
  'a learner that has caught up is promoted, and a voter demoted (thesis §4.2.1)',
  (mode) => {
    const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
    cluster.elect(1);
    cluster.changeTo(1, { transition: 'auto', changes: [listen(4)] });
    cluster.changeTo(1, { transition: 'auto', changes: [add(4)] });
    cluster.changeTo(1, { transition: 'auto', changes: [listen(2)] });
    const { voters, learners } = cluster.host(4).confState;
    assert.deepEqual([voters, learners], [[1, 3, 4], [2]]);
    assert.equal(cluster.peer(1, 2).isLearner, true);
    cluster.host(3).crash();
    cluster.commit(1, 'with 4');
    assert.deepEqual(cluster.texts(1), ['with 4']);
  },
);

testModes(
  'a new node is told from the start on, and is not taken for silent (contract 12)',
  (mode) => {
    const one = new Single({ voters: THREE, ...mode });
    one.leadAndCommit(2, 3);
    one.run((node) => node.proposeConfChange(auto(add(4))));
    const sent = only(one.acknowledge(2), 'append').filter(({ to }) => to === 4);
    assert.deepEqual(
      sent.map(({ prevIndex, entries }) => [prevIndex, entries.length]),
      [[1, 1]],
    );
    const { next, recentActive } = one.peer(4);
    assert.deepEqual([next, recentActive], [2, true]);
  },
);

testModes('a removed leader may lead on, but does not count itself (§6, thesis §4.2.2)', (mode) => {
  const cluster = new Cluster({ voters: THREE, stepDownOnRemoval: false, ...mode });
  cluster.elect(1);
  const before = cluster.lose(({ type, to }) => type === 'append' && to === 3);
  cluster.change(1, 'auto', remove(1));
  cluster.settle();
  assert.equal(cluster.status(1).role, 'leader');
  assert.throws(() => cluster.propose(1, 'no'), /the leader was removed/);
  const { commit } = cluster.status(1);
  before();
  cluster.tick(1, 2);
  for (const id of [2, 3]) {
    assert.deepEqual(cluster.host(id).confState.voters, [2, 3]);
    assert.equal(cluster.status(id).commit, commit);
  }
});

test('a vote is refused within an election timeout of hearing of a leader (thesis §4.2.3)', () => {
  const one = new Single({ voters: THREE });
  one.step(append({ from: 2, term: 1 }));
  const request = vote({ from: 3, term: 2 });
  assert.deepEqual(one.step(request), []);
  assert.equal(one.status.term, 1, 'nor does it take the term');
  const transfer = only(one.step({ ...request, transfer: true }), 'voteResponse');
  assert.equal(transfer[0]!.reject, false);
});

testModes(
  'how far a new server has come can be told, to promote it in time (thesis §4.2.1)',
  (mode) => {
    const cluster = new Cluster({ voters: [1, 2], others: [3], ...mode });
    cluster.elect(1);
    cluster.commit(1, 'a', 'b', 'c');
    const cut = cluster.isolate(3);
    cluster.changeTo(1, auto(listen(3)));
    const { match, isLearner } = cluster.peer(1, 3);
    assert.deepEqual([match, isLearner], [0, true]);
    cut();
    cluster.tick(1, 3);
    assert.equal(cluster.peer(1, 3).match, cluster.status(1).lastIndex);
  },
);

testModes(
  'while all servers are replaced one by one, each step can be gone on from (thesis §4.2.4)',
  (mode) => {
    const cluster = new Cluster({ voters: THREE, others: [4, 5, 6], ...mode });
    cluster.elect(1);
    const said: string[] = [];
    const say = (text: string) => {
      const [leader] = cluster.leaders();
      assert.ok(leader !== undefined, `${text}: somebody leads`);
      said.push(text);
      cluster.commit(leader, text);
      return leader;
    };
    for (const old of THREE) {
      const fresh = old + 3;
      for (const change of [listen(fresh), add(fresh), remove(old)]) {
        const what = `${change.kind} ${change.node}`;
        cluster.changeTo(say(`before ${what}`), auto(change));
        // Whoever of the present voters is asked to can lead.
        const up = [1, 2, 3, 4, 5, 6].filter((id) => cluster.host(id).isUp);
        cluster.tick(up, 25);
        const leader = say(`after ${what}`);
        const { voters } = cluster.host(leader).confState;
        cluster.elect(voters.find((id) => id !== leader)!);
      }
      cluster.host(old).crash();
    }
    const leader = say('end');
    for (const id of [4, 5, 6]) {
      assert.deepEqual(cluster.host(id).confState, conf({ voters: [4, 5, 6] }));
      assert.deepEqual(cluster.host(id).machine, cluster.host(leader).machine);
    }
    assert.deepEqual(cluster.texts(leader), said);
  },
);
