// Raft §5.5: followers and candidates that crash.

import assert from 'node:assert/strict';
import type { Message } from '../../src/message.js';
import { Cluster, testModes } from '../support/cluster.js';
import { entriesFrom } from '../support/entries.js';
import { append, only, vote } from '../support/messages.js';
import { Single } from '../support/single.js';

/** As in the paper: neither pre-votes nor leases. */
const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

testModes('an append that comes twice does nothing the second time (§5.5)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode });
  const message = append({ from: 2, term: 1, entries: entriesFrom(1, 1, 1), commit: 1 });
  const answers = [one.step(message), one.step(message)].flat();
  assert.deepEqual(
    only(answers, 'appendResponse').map(({ reject }) => reject),
    [false, false],
  );
  assert.deepEqual([one.status.lastIndex, one.applied.length], [2, 1]);
});

testModes('log and commit index outlive a crash of everybody (§5.5)', (mode) => {
  const cluster = new Cluster({ ...PLAIN, ...mode });
  cluster.elect(1);
  cluster.commit(1, 'a', 'b');
  for (const id of [1, 2, 3]) cluster.host(id).restart();
  cluster.elect(2);
  cluster.commit(2, 'c');
  for (const id of [1, 2, 3]) {
    assert.deepEqual(cluster.texts(id).slice(-1), ['c']);
    assert.equal(cluster.host(id).machine.hash, cluster.host(1).machine.hash);
  }
});

testModes(
  'who crashed before it answered answers the same when it is asked again (§5.5)',
  (mode) => {
    const requests: readonly Message[] = [
      vote({ from: 2, term: 1 }),
      append({ from: 2, term: 1, entries: entriesFrom(1, 1) }),
    ];
    for (const request of requests) {
      const one = new Single({ ...PLAIN, ...mode });
      const before = one.step(request);
      one.host.restart();
      assert.deepEqual(one.step(request), before);
    }
  },
);

testModes('a follower that crashed gets what it missed once it is back (§5.5)', (mode) => {
  const cluster = new Cluster({ ...PLAIN, ...mode });
  cluster.elect(1);
  cluster.commit(1, 'a');
  cluster.host(3).crash();
  cluster.commit(1, 'b', 'c');
  cluster.host(3).start();
  cluster.tick(1, 2);
  assert.deepEqual(cluster.texts(3).slice(-2), ['b', 'c']);
  assert.deepEqual(cluster.host(3).machine, cluster.host(1).machine);
});
