import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RaftError } from '../src/errors.js';
import { idsOf } from './support/entries.js';
import { appendResponse, heartbeatResponse, only } from './support/messages.js';
import { Single } from './support/single.js';

const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };

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

test('every commit is told at once, one message each (contract 9)', () => {
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

test('a follower in step is not told again of a commit that it knows (contract 9)', () => {
  const one = new Single(PLAIN);
  one.leadAndCommit(2, 3);
  one.propose('a');
  const { term } = one.status;
  one.step(appendResponse({ from: 2, term, index: 2 }));
  assert.deepEqual(one.step(appendResponse({ from: 2, term, index: 2 })), []);
  assert.deepEqual(one.step(heartbeatResponse({ from: 2, term })), []);
});
