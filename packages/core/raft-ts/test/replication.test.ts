import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RaftError } from '../src/errors.js';
import { Cluster, testModes } from './support/cluster.js';
import { bytesOf, entriesFrom, idsOf } from './support/entries.js';
import { append, appendResponse, heartbeatResponse, only } from './support/messages.js';
import { Single } from './support/single.js';

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

test('a leader never replaces or removes an entry of its own log (§5.3, Leader Append-Only)', () => {
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

testModes('a leader commits no entry of an earlier term by counting (§5.4.2, Figure 8)', (mode) => {
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
});

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

test('a pipeline carries several appends to a follower before it answers (thesis §10.2.1)', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2, 3);
  const sent = ['a', 'b', 'c'].flatMap((text) => only(one.propose(text), 'append'));
  assert.deepEqual(
    sent.filter(({ to }) => to === 2).map(({ prevIndex, entries }) => [prevIndex, entries.length]),
    [
      [1, 1],
      [2, 1],
      [3, 1],
    ],
  );
  assert.deepEqual([one.peer(2).inflight, one.peer(2).state], [3, 'replicate']);
});

test('appends are no larger than they may be, but for one entry', () => {
  const one = new Single({ ...PLAIN, appendBytesMax: 30 });
  one.leadAndCommit(2, 3);
  const release = one.propose('1', '2', '3', 'four is a very long one indeed', '5');
  const { term } = one.status;
  const sizes = only(release, 'append').filter(({ to }) => to === 2);
  const more = only(one.step(appendResponse({ from: 2, term, index: 3 })), 'append');
  const all = [...sizes, ...more].filter(({ to, entries }) => to === 2 && entries.length > 0);
  assert.deepEqual(
    all.map(({ entries }) => entries.length),
    [2, 1, 1, 1],
  );
});

test('entries that cannot be read now are sent with the next answer, and no snapshot in their place', () => {
  const one = new Single({ ...PLAIN, terms: [1, 1, 1] });
  one.leadAndCommit(2);
  const { disk } = one.host;
  const read = disk.entries.bind(disk);
  disk.entries = () => {
    throw new RaftError('Unavailable', 'in a moment');
  };
  const { term } = one.status;
  const rejection = appendResponse({
    from: 3,
    term,
    index: 3,
    reject: true,
    hintIndex: 1,
    hintTerm: 1,
  });
  assert.deepEqual(one.step(rejection), []);
  assert.equal(one.peer(3).state, 'probe');
  disk.entries = read;
  const [sent] = only(one.step(heartbeatResponse({ from: 3, term })), 'append');
  assert.deepEqual([sent!.prevIndex, idsOf(sent!.entries)], [1, '2/1 3/1 4/2']);
});

test('a follower whose pipeline was lost is probed from where it stands', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2, 3);
  one.propose('a');
  one.propose('b');
  const { term } = one.status;
  const rejection = appendResponse({
    from: 2,
    term,
    index: 2,
    reject: true,
    hintIndex: 1,
    hintTerm: 1,
  });
  const [again] = only(one.step(rejection), 'append');
  assert.deepEqual([again!.prevIndex, idsOf(again!.entries)], [1, '2/1 3/1']);
  assert.equal(one.peer(2).state, 'probe');
  one.step(appendResponse({ from: 2, term, index: 3 }));
  assert.deepEqual([one.peer(2).state, one.peer(2).match], ['replicate', 3]);
});

test('a host’s word that a node cannot be reached stops its pipeline', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2, 3);
  one.propose('a');
  one.node.reportUnreachable(2);
  assert.deepEqual([one.peer(2).state, one.peer(2).next], ['probe', 2]);
  assert.throws(() => one.node.reportUnreachable(9), /not a member/);
});

test('every commit is told at once, one message each (RAFT.md 2.9)', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2, 3);
  one.propose('a');
  one.propose('b');
  const { term } = one.status;
  const told = [2, 3].flatMap((index) => {
    return only(one.step(appendResponse({ from: 2, term, index })), 'append');
  });
  assert.deepEqual(
    told.filter(({ to }) => to === 3).map(({ commit }) => commit),
    [2, 3],
  );
});

test('a follower in step is not told again of a commit that it knows (RAFT.md 2.9)', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2, 3);
  one.propose('a');
  const { term } = one.status;
  one.step(appendResponse({ from: 2, term, index: 2 }));
  assert.deepEqual(one.step(appendResponse({ from: 2, term, index: 2 })), []);
  assert.deepEqual(one.step(heartbeatResponse({ from: 2, term })), []);
});

test('a proposal needs a leader, and a follower passes it on unless it may not (RAFT.md 2.12)', () => {
  const one = new Single(PLAIN);
  assert.throws(() => one.node.propose(bytesOf('a')), /no leader is known/);
  one.step(append({ from: 2, term: 1 }));
  const [passed] = only(one.propose('a', 'b'), 'propose');
  assert.deepEqual([passed!.to, passed!.term, passed!.entries.length], [2, 0, 2]);
  const refusing = new Single({ ...PLAIN, disableProposalForwarding: true });
  refusing.step(append({ from: 2, term: 1 }));
  assert.throws(() => refusing.node.propose(bytesOf('a')), /not passed on/);
});

testModes('a proposal that a follower passed on is committed everywhere', (mode) => {
  const cluster = new Cluster({ ...PLAIN, ...mode });
  cluster.elect(1);
  cluster.commit(2, 'from 2');
  for (const id of [1, 2, 3]) assert.deepEqual(cluster.texts(id), ['from 2']);
});

test('proposals of one call are taken together or not at all', () => {
  const one = new Single({ ...PLAIN, uncommittedBytesMax: 10 });
  one.leadAndCommit(2, 3);
  one.propose('12345');
  const before = one.status.lastIndex;
  assert.throws(() => one.node.propose(bytesOf('123'), bytesOf('456')), /too many bytes/);
  assert.equal(one.status.lastIndex, before);
  assert.equal(one.node.canPropose(5), true);
  assert.equal(one.node.canPropose(6), false);
});
