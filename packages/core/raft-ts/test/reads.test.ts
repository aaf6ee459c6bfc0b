import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf } from './support/entries.js';
import { append, heartbeatResponse, only } from './support/messages.js';
import { answers, read } from './support/reads.js';
import { Single } from './support/single.js';

const THREE = { voters: [1, 2, 3] };

test('without a leader a read is never answered', () => {
  const one = new Single(THREE);
  assert.deepEqual(read(one, 'r'), []);
  assert.deepEqual(one.reads, []);
});

test('an answer to a read is taken by who follows, and by nobody else', () => {
  const one = new Single(THREE);
  one.step(append({ from: 2, term: 1 }));
  const answer = { type: 'readIndexResponse', from: 2, to: 1, term: 1, index: 7 } as const;
  one.step({ ...answer, context: bytesOf('r') });
  assert.deepEqual(answers(one.reads), ['r@7']);
  one.tick(10);
  one.step({ ...answer, context: bytesOf('x') });
  assert.equal(one.reads.length, 1);
});

test('no more reads wait than may, be it for a round or for the first commit of the term (pitfall 19)', () => {
  const one = new Single({ ...THREE, pendingReadsMax: 2 });
  one.lead(2);
  for (const context of ['a', 'b', 'c']) read(one, context);
  assert.equal(one.node.status().pendingReads, 2);
  const [asked] = only(one.acknowledge(2), 'heartbeat');
  assert.deepEqual(read(one, 'd'), []);
  const confirm = (readRound: number) =>
    one.step(heartbeatResponse({ from: 3, term: 1, readRound }));
  confirm(asked!.readRound);
  assert.deepEqual(answers(one.reads), ['a@1', 'b@1']);
  const [again] = only(read(one, 'e'), 'heartbeat');
  one.step({ type: 'readIndex', from: 2, to: 1, term: 0, context: bytesOf('f') });
  one.step({ type: 'readIndex', from: 2, to: 1, term: 0, context: bytesOf('g') });
  assert.equal(one.node.status().pendingReads, 2);
  const answered = only(confirm(again!.readRound + 1), 'readIndexResponse');
  assert.deepEqual([answers(one.reads).at(-1), answers(answered)], ['e@1', ['f@1']]);
  assert.equal(one.node.status().pendingReads, 0);
});
