// Raft §5.3: log replication.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RaftLog } from '../../src/log.js';
import { MemoryStorage } from '../../src/memory-storage.js';
import { Cluster, testModes } from '../support/cluster.js';
import { entriesFrom, idsOf } from '../support/entries.js';
import { append, appendResponse, only } from '../support/messages.js';
import { Single } from '../support/single.js';

/** As in the paper: neither pre-votes nor leases. */
const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

testModes('a leader appends a proposal and sends it to all at the same time (§5.3)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, terms: [1] });
  one.leadAndCommit(2, 3);
  const sent = only(one.propose('a'), 'append');
  assert.deepEqual(
    sent.map(({ to, prevIndex, prevTerm, entries }) => [to, prevIndex, prevTerm, idsOf(entries)]),
    [
      [2, 2, 2, '3/2'],
      [3, 2, 2, '3/2'],
    ],
  );
});

testModes('an entry is committed once a majority holds it, and then applied (§5.3)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, voters: [1, 2, 3, 4, 5] });
  one.leadAndCommit(2, 3, 4, 5);
  one.propose('a');
  const { term, lastIndex: index } = one.status;
  one.step(appendResponse({ from: 2, term, index }));
  assert.equal(one.status.commit, index - 1);
  one.step(appendResponse({ from: 3, term, index }));
  assert.deepEqual([one.status.commit, one.status.applied], [index, index]);
});

testModes(
  'followers learn of a commit with the next message, and apply in order (§5.3)',
  (mode) => {
    const cluster = new Cluster({ ...PLAIN, ...mode });
    cluster.elect(1);
    for (const text of 'abc') cluster.propose(1, text);
    cluster.settle();
    for (const id of [1, 2, 3]) {
      assert.deepEqual(cluster.texts(id), ['a', 'b', 'c']);
      assert.deepEqual(
        cluster.applied.get(id)!.map(({ index }) => index),
        [1, 2, 3, 4],
      );
    }
  },
);

testModes('a leader sends again and again to a follower that does not answer (§5.3)', (mode) => {
  const cluster = new Cluster({ ...PLAIN, ...mode });
  cluster.elect(1);
  cluster.host(3).crash();
  cluster.commit(1, 'a', 'b');
  cluster.tick(1, 50);
  cluster.host(3).start();
  cluster.tick(1, 2);
  assert.deepEqual(cluster.texts(3), ['a', 'b']);
});

testModes('a follower refuses entries whose previous one it does not have (§5.3)', (mode) => {
  const table: readonly (readonly [prevIndex: number, prevTerm: number, reject: boolean])[] = [
    [0, 0, false],
    [1, 1, false],
    [2, 2, false],
    [2, 1, true],
    [2, 3, true],
    [3, 3, true],
  ];
  for (const [prevIndex, prevTerm, reject] of table) {
    const one = new Single({ ...PLAIN, ...mode, terms: [1, 2] });
    const message = append({ from: 2, term: 3, prevIndex, prevTerm });
    const [answer] = only(one.step(message), 'appendResponse');
    assert.deepEqual([answer!.reject, answer!.index], [reject, prevIndex]);
  }
});

testModes('every log of Figure 7 becomes the leader’s (§5.3)', (mode) => {
  const leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const followers: Record<string, number[]> = {
    a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1, 1, 4],
    c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 1, 4, 4, 4, 4],
    f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  };
  for (const [name, terms] of Object.entries(followers)) {
    const cluster = new Cluster({ voters: [], ...mode });
    const options = { ...PLAIN, ...mode, hardState: { term: 7 } };
    cluster.add(1, { ...options, terms: leader });
    cluster.add(2, { ...options, terms });
    // The third vote comes from a node whose log is empty.
    cluster.add(3, { ...options, terms: [] });
    cluster.elect(1);
    cluster.commit(1, 'new');
    const expected = [...leader, 8, 8].join(' ');
    assert.deepEqual([cluster.terms(2), cluster.terms(3)], [expected, expected], name);
    assert.deepEqual(cluster.texts(2), ['new']);
  }
});

test('a leader never replaces or removes an entry of its own log (§5.3, LeaderAppendOnly)', () => {
  const one = new Single({ ...PLAIN, terms: [1, 1, 2] });
  one.lead(2);
  one.step(appendResponse({ from: 2, term: 3, index: 3, reject: true }));
  one.step(append({ from: 2, term: 2, prevIndex: 0, entries: entriesFrom(1, 2) }));
  one.step(append({ from: 2, term: 3, prevIndex: 0, entries: entriesFrom(1, 3) }));
  assert.deepEqual(
    [1, 2, 3, 4].map((index) => one.host.disk.term(index)),
    [1, 1, 2, 3],
  );
});

testModes('a conflict is passed over term by term, not entry by entry (§5.3)', (mode) => {
  const old = new Array<number>(100).fill(2);
  const cluster = new Cluster({ voters: [], ...mode });
  cluster.add(1, { ...PLAIN, ...mode, terms: [1, ...new Array<number>(100).fill(3)] });
  cluster.add(2, { ...PLAIN, ...mode, terms: [1, ...old] });
  cluster.add(3, { ...PLAIN, ...mode, terms: [1] });
  cluster.elect(1);
  const rejections = only(cluster.sent, 'appendResponse').filter(({ from, reject }) => {
    return reject && from === 2;
  });
  assert.equal(rejections.length, 1);
  assert.deepEqual([rejections[0]!.hintIndex, rejections[0]!.hintTerm], [101, 2]);
  assert.equal(cluster.terms(2), cluster.terms(1));
});

test('a follower skips, by its hint, what cannot agree with the leader’s term (§5.3)', () => {
  const one = new Single({ ...PLAIN, terms: [1, 1, 5, 5, 5] });
  const message = append({ from: 2, term: 6, prevIndex: 5, prevTerm: 3 });
  const [answer] = only(one.step(message), 'appendResponse');
  assert.deepEqual([answer!.hintIndex, answer!.hintTerm], [2, 1]);
});

test('a leader begins behind its own log, and goes back until the logs agree (§5.3)', () => {
  const one = new Single({ ...PLAIN, terms: [1, 1, 1] });
  const [first] = only(one.lead(2), 'append').filter(({ to }) => to === 3);
  assert.deepEqual([first!.prevIndex, idsOf(first!.entries)], [3, '4/2']);
  for (const index of [3, 2, 1]) {
    // A follower that has nothing there can say no more than that.
    const hint = { hintIndex: index - 1, hintTerm: 0 };
    const rejection = appendResponse({ from: 3, term: 2, index, reject: true, ...hint });
    const [next] = only(one.step(rejection), 'append');
    assert.deepEqual([next!.prevIndex, next!.entries.length], [index - 1, 5 - index]);
  }
});

testModes('a commit takes along all that comes before, of earlier leaders too (§5.3)', (mode) => {
  const one = new Single({ ...PLAIN, ...mode, terms: [1, 1, 2] });
  one.lead(2);
  assert.equal(one.status.commit, 0);
  one.step(appendResponse({ from: 2, term: 3, index: 4 }));
  assert.equal(one.status.commit, 4);
  assert.equal(idsOf(one.applied), '1/1 2/1 3/2 4/3');
});

test('a log that takes an append is the leader’s up to its end, and keeps what agrees (§5.3, LogMatching)', () => {
  const terms = (first: number) =>
    fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 }).map((steps) => {
      // Terms of two leaders never meet: those of one are even, those of the other odd.
      return steps.sort().map((step) => first + 2 * step);
    });
  const shared = fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 5 });
  const count = fc.nat(12);
  fc.assert(
    fc.property(shared, terms(4), terms(5), count, count, (common, theirs, ours, at, size) => {
      const base = common.sort();
      const leader = [...base, ...theirs];
      const follower = [...base, ...ours];
      const storage = new MemoryStorage([1]);
      storage.append(entriesFrom(1, ...follower));
      const log = new RaftLog(storage, 0, Infinity);
      const index = at % (leader.length + 1);
      const entries = entriesFrom(1, ...leader).slice(index, index + size);
      const last = log.maybeAppend({ index, term: leader[index - 1] ?? 0 }, entries, 0);
      const after = Array.from({ length: log.lastIndex }, (_, offset) => log.term(offset + 1));
      if (index > base.length) {
        assert.equal(last, undefined, 'the entry before does not agree');
        assert.deepEqual(after, follower);
      } else if (index + entries.length <= base.length) {
        assert.deepEqual(after, follower, 'all of it was there already');
      } else {
        assert.deepEqual(after, leader.slice(0, index + entries.length));
      }
    }),
  );
});
