import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, textOf } from './support/entries.js';
import { append } from './support/messages.js';
import { Single } from './support/single.js';

const THREE = { voters: [1, 2, 3] };

function read(one: Single, context: string) {
  return one.run((node) => node.readIndex(bytesOf(context)));
}

/** `context@index` of each answer. */
function answers(reads: readonly { index: number; context: Uint8Array }[]): string[] {
  return reads.map(({ index, context }) => `${textOf(context)}@${index}`);
}

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
