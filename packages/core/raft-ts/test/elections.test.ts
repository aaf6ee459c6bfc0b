import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE } from '../src/types.js';
import { append, only, preVote } from './support/messages.js';
import { Single } from './support/single.js';

const THREE = { voters: [1, 2, 3] };

test('a node that cannot campaign now still gives up a silent leader', () => {
  // An unapplied change keeps it from campaigning; its old leader must not keep it from voting too.
  const one = new Single({ ...THREE, asyncStorageWrites: true });
  const change = { term: 1, index: 1, type: 'confChange' as const, data: new Uint8Array(0) };
  one.node.step(append({ from: 2, term: 1, entries: [change], commit: 1 }));
  one.host.take();
  for (let passed = 0; passed < 10; passed++) one.node.tick();
  assert.deepEqual([one.status.role, one.status.lead], ['follower', NONE]);
  one.node.step(preVote({ from: 3, term: 2, lastIndex: 1, lastTerm: 1 }));
  const { append: work } = one.host.take();
  assert.deepEqual(
    only(work!.messages, 'preVoteResponse').map(({ type, reject }) => [type, reject]),
    [['preVoteResponse', false]],
  );
});
