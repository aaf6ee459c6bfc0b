import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RaftAssertionError } from '../src/assert.js';
import { MemoryStorage } from '../src/memory-storage.js';
import { RawNode } from '../src/raw-node.js';
import { entriesBytes } from '../src/types.js';
import { bytesOf, entriesFrom, idsOf } from './support/entries.js';
import { append, heartbeat, only, vote, voteResponse } from './support/messages.js';
import { Single } from './support/single.js';

const PLAIN = { voters: [1, 2, 3], preVote: false, checkQuorum: false };
const ASYNC = { ...PLAIN, asyncStorageWrites: true };

test('a replica that has nothing to do has no Ready', () => {
  for (const options of [PLAIN, ASYNC]) {
    const one = new Single({ ...options, terms: [1, 1], hardState: { commit: 2 } });
    assert.equal(one.node.hasReady(), true, 'committed entries are to be applied');
    one.host.pump();
    assert.equal(one.node.hasReady(), false);
  }
});

test('a Ready tells what is new, once', () => {
  const one = new Single(PLAIN);
  one.node.step(append({ from: 2, term: 1, entries: entriesFrom(1, 1, 1), commit: 1 }));
  const ready = one.node.ready();
  assert.deepEqual(ready.softState, { lead: 2, role: 'follower' });
  assert.deepEqual(ready.append!.hardState, { term: 1, vote: 0, commit: 1 });
  assert.equal(idsOf(ready.append!.entries), '1/1 2/1');
  assert.equal(idsOf(ready.apply!.entries), '1/1');
  assert.equal(ready.messages.length, 1, 'the answer leaves with it, after the write');
  one.host.disk.writeAppend(ready.append!);
  one.node.advance();
  assert.equal(one.node.hasReady(), false);
  assert.deepEqual(one.node.ready(), {
    softState: undefined,
    readStates: [],
    messages: [],
    append: undefined,
    apply: undefined,
  });
});

test('ready and advance take turns', () => {
  const node = new Single(PLAIN).node;
  assert.throws(() => node.advance(), RaftAssertionError);
  node.ready();
  assert.throws(() => node.ready(), RaftAssertionError);
  node.advance();
  assert.throws(() => node.advance(), RaftAssertionError);
});

test('without asynchronous writes advance alone acknowledges, and with them it never does', () => {
  const sync = new Single(PLAIN);
  sync.node.campaign();
  const work = sync.node.ready().append!;
  assert.throws(() => sync.node.acknowledgeAppend(work), RaftAssertionError);
  const async = new Single(ASYNC);
  async.node.ready();
  assert.throws(() => async.node.advance(), RaftAssertionError);
});

test('with asynchronous writes an answer waits for the write, and other messages do not', () => {
  const one = new Single(ASYNC);
  one.leadAndCommit(2, 3);
  one.node.propose(bytesOf('a'));
  const ready = one.node.ready();
  assert.equal(only(ready.messages, 'append').length, 2);
  assert.deepEqual(
    ready.append!.messages.map(({ type, to }) => [type, to]),
    [['appendResponse', 1]],
  );
  const follower = new Single(ASYNC);
  follower.node.step(append({ from: 2, term: 1, entries: entriesFrom(1, 1) }));
  const { messages, append: work } = follower.node.ready();
  assert.deepEqual(messages, []);
  follower.host.disk.writeAppend(work!);
  assert.equal(only(follower.node.acknowledgeAppend(work!), 'appendResponse')[0]!.index, 1);
});

test('with asynchronous writes entries are applied only once they are durable (contract 4)', () => {
  const one = new Single(ASYNC);
  one.node.step(append({ from: 2, term: 1, entries: entriesFrom(1, 1, 1), commit: 2 }));
  const first = one.node.ready();
  assert.equal(first.apply, undefined);
  one.host.disk.writeAppend(first.append!);
  one.node.acknowledgeAppend(first.append!);
  assert.equal(idsOf(one.node.ready().apply!.entries), '1/1 2/1');
});

test('without asynchronous writes entries are applied in the Ready that writes them (contract 4)', () => {
  const one = new Single(PLAIN);
  one.node.step(append({ from: 2, term: 1, entries: entriesFrom(1, 1, 1), commit: 2 }));
  assert.equal(idsOf(one.node.ready().apply!.entries), '1/1 2/1');
});

test('several writes may be under way, each with what is new since the one before', () => {
  const one = new Single(ASYNC);
  const works = [1, 2, 3].map((index) => {
    const message = { from: 2, term: 1, prevIndex: index - 1, prevTerm: index > 1 ? 1 : 0 };
    one.node.step(append({ ...message, entries: entriesFrom(index, 1) }));
    return one.node.ready().append!;
  });
  assert.deepEqual(
    works.map(({ entries, last, term }) => [idsOf(entries), last!.index, term]),
    [
      ['1/1', 1, 1],
      ['2/1', 2, 1],
      ['3/1', 3, 1],
    ],
  );
  assert.equal(one.node.hasReady(), false);
  const answered = works.map((work) => {
    one.host.disk.writeAppend(work);
    return only(one.node.acknowledgeAppend(work), 'appendResponse')[0]!.index;
  });
  assert.deepEqual(answered, [1, 2, 3]);
});

test('what was handed out to be applied counts until it is', () => {
  const one = new Single({ ...ASYNC, terms: [1, 1], hardState: { commit: 2 } });
  assert.equal(one.node.status().applyingBytes, 0);
  const apply = one.node.ready().apply!;
  assert.equal(one.node.status().applyingBytes, entriesBytes(apply.entries));
  assert.ok(entriesBytes(apply.entries) > 0);
  one.node.acknowledgeApply(apply);
  assert.equal(one.node.status().applyingBytes, 0);
});

test('work that was handed out is acknowledged in order, each once (InOrder, pitfall 18)', () => {
  const one = new Single(ASYNC);
  const [first, second] = [1, 2].map((index) => {
    const message = { from: 2, term: 1, prevIndex: index - 1, prevTerm: index > 1 ? 1 : 0 };
    one.node.step(append({ ...message, entries: entriesFrom(index, 1), commit: index }));
    const { append: work } = one.node.ready();
    one.host.disk.writeAppend(work!);
    return work!;
  });
  assert.throws(() => one.node.acknowledgeAppend(second!), RaftAssertionError);
  const again = new Single({ ...ASYNC, terms: [1, 1], hardState: { commit: 2 } });
  const apply = again.node.ready().apply!;
  again.node.acknowledgeApply(apply);
  assert.throws(() => again.node.acknowledgeApply(apply), RaftAssertionError);
  assert.ok(first !== undefined);
});

test('which writes must be synced, by table (contract 14, pitfall 25)', () => {
  const stored = { ...PLAIN, terms: [1, 1, 1], hardState: { term: 3, commit: 1 } };
  const table: readonly (readonly [string, (one: Single) => void, boolean | undefined])[] = [
    ['entries', (one) => one.node.step(append(behind({ entries: entriesFrom(4, 3) }))), true],
    ['a term', (one) => one.node.step(heartbeat({ from: 2, term: 4 })), true],
    ['a vote', (one) => one.node.step(vote({ from: 2, term: 3, lastTerm: 9 })), true],
    ['a commit index', (one) => one.node.step(append(behind({ commit: 3 }))), false],
    ['an answer', (one) => one.node.step(append(behind({}))), false],
    ['a heartbeat', (one) => one.node.step(heartbeat({ from: 2, term: 3 })), undefined],
  ];
  for (const [what, change, mustSync] of table) {
    const one = new Single(stored);
    one.host.pump();
    change(one);
    const { append: work } = one.node.ready();
    assert.equal(work?.mustSync, mustSync, what);
    assert.equal(
      work?.hardState !== undefined,
      !['entries', 'an answer', 'a heartbeat'].includes(what),
      what,
    );
  }
});

test('an answer to the same vote is not synced again, but waits for the write that was', () => {
  const one = new Single(ASYNC);
  one.node.step(vote({ from: 2, term: 1 }));
  const first = one.node.ready();
  one.node.step(vote({ from: 2, term: 1 }));
  const second = one.node.ready();
  assert.deepEqual([first.append!.mustSync, second.append!.mustSync], [true, false]);
  assert.equal(second.append!.messages.length, 1);
});

test('a host that calls in between ready and advance loses nothing', () => {
  const one = new Single({ ...PLAIN, voters: [1, 2, 3] });
  one.node.step(append({ from: 2, term: 1, entries: entriesFrom(1, 1) }));
  const first = one.node.ready();
  one.node.step(
    append({ from: 3, term: 2, prevIndex: 0, entries: entriesFrom(1, 2, 2), commit: 2 }),
  );
  one.host.disk.writeAppend(first.append!);
  one.node.advance();
  one.host.pump();
  assert.deepEqual(
    [1, 2].map((index) => one.host.disk.term(index)),
    [2, 2],
  );
  assert.equal(one.applied.length, 2);
});

test('a message from or to another node than it should be is a defect of the host', () => {
  const { node } = new Single(PLAIN);
  assert.throws(() => node.step(voteResponse({ from: 1, term: 1 })), RaftAssertionError);
  assert.throws(() => node.step(voteResponse({ from: 2, to: 3, term: 1 })), RaftAssertionError);
});

test('trace tells of every change of role', () => {
  const lines: string[] = [];
  const node = new RawNode({
    id: 1,
    storage: new MemoryStorage([1]),
    electionTicks: 10,
    heartbeatTicks: 1,
    random: () => 0,
    trace: (line) => lines.push(line),
  });
  node.campaign();
  assert.deepEqual(lines, ['1 term 0: becomes follower', '1 term 0: becomes preCandidate']);
});

function behind(parts: Partial<Parameters<typeof append>[0]>) {
  return { from: 2, term: 3, prevIndex: 3, prevTerm: 1, ...parts };
}
