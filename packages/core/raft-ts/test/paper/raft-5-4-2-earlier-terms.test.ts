// Raft §5.4.2: entries of earlier terms are committed only along with one of the present term.

import assert from 'node:assert/strict';
import { Cluster, testModes } from '../support/cluster.js';
import { appendResponse } from '../support/messages.js';
import { Single } from '../support/single.js';

/** As in the paper: neither pre-votes nor leases. */
const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

testModes(
  'a leader commits no entry of an earlier term by counting (§5.4.2, Figure 8: OwnTermCommits)',
  (mode) => {
    const options = { ...PLAIN, voters: [1, 2, 3, 4, 5], ...mode };
    const one = new Single({ ...options, terms: [1, 2], hardState: { term: 3, vote: 5 } });
    one.lead(2, 3);
    assert.equal(one.status.term, 4);
    // (c) in Figure 8: it copies index 2, of term 2, to a majority; a later leader may still replace it.
    for (const from of [2, 3, 4]) one.step(appendResponse({ from, term: 4, index: 2 }));
    assert.equal(one.status.commit, 0);
    // (e): once an entry of term 4 is on a majority, all before it is committed with it.
    one.step(appendResponse({ from: 2, term: 4, index: 3 }));
    assert.equal(one.status.commit, 0);
    one.step(appendResponse({ from: 3, term: 4, index: 3 }));
    assert.equal(one.status.commit, 3);
  },
);

testModes(
  'what was not committed may be replaced by a later leader (§5.4.2, Figure 8 d)',
  (mode) => {
    const cluster = new Cluster({ voters: [], ...mode });
    const options = { ...PLAIN, voters: [1, 2, 3, 4, 5], ...mode, hardState: { term: 4 } };
    const logs = [[1, 2, 4], [1, 2], [1, 2], [1], [1, 3]];
    for (const [at, terms] of logs.entries()) cluster.add(at + 1, { ...options, terms });
    cluster.isolate(1);
    cluster.elect(5);
    assert.equal(cluster.terms(2), '1 3 5');
    cluster.heal();
    cluster.tick(5, 2);
    assert.equal(cluster.terms(1), '1 3 5');
  },
);
