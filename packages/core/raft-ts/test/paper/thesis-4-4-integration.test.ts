// Thesis §4.4: replacing servers.

import assert from 'node:assert/strict';
import { add, auto, listen, remove } from '../support/changes.js';
import { Cluster, testModes } from '../support/cluster.js';
import { conf } from '../support/entries.js';

const THREE = [1, 2, 3];

testModes(
  'a change that is asked of a follower is passed on to the leader (thesis §4.4)',
  (mode) => {
    const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
    cluster.elect(1);
    cluster.change(2, 'auto', listen(4));
    cluster.settle();
    cluster.tick(1);
    for (const id of [1, 2, 3, 4]) assert.deepEqual(cluster.host(id).confState.learners, [4]);
  },
);

testModes(
  'a server that failed is replaced by one that has caught up, in one step (thesis §4.4)',
  (mode) => {
    const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
    cluster.elect(1);
    cluster.commit(1, 'a', 'b');
    cluster.host(3).crash();
    cluster.changeTo(1, auto(listen(4)));
    cluster.tick(1, 3);
    assert.equal(cluster.peer(1, 4).match, cluster.status(1).lastIndex, 'it has caught up');
    cluster.changeTo(1, auto(add(4), remove(3)));
    cluster.tick(1, 3);
    assert.deepEqual(cluster.host(4).confState, conf({ voters: [1, 2, 4] }));
    // Another failure can be stood now.
    cluster.host(2).crash();
    cluster.commit(1, 'c');
    assert.deepEqual(cluster.texts(4), ['a', 'b', 'c']);
  },
);

testModes(
  'a server is added before one is removed, so that no failure is one too many (thesis §4.4)',
  (mode) => {
    // Two are up of three. Removing one that is up first would leave one of two, and nobody could decide.
    const cluster = new Cluster({ voters: THREE, others: [4], ...mode });
    cluster.elect(1);
    cluster.host(3).crash();
    cluster.changeTo(1, auto(add(4)));
    assert.deepEqual(cluster.host(4).confState.voters, [1, 2, 3, 4]);
    cluster.changeTo(1, auto(remove(3)));
    cluster.commit(1, 'a');
    assert.deepEqual(cluster.host(4).confState.voters, [1, 2, 4]);
    assert.deepEqual(cluster.texts(4), ['a']);
  },
);
