import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NoticeMessage, Notices } from '../../src/peers/notices.js';

const TERM = { from: 1, term: 3 } as const;

function commitNotice(commit: number, to = 2): NoticeMessage {
  const position = { prevIndex: 8, prevTerm: 3, entries: [], commit, match: 6 };
  return { type: 'append', ...TERM, to, ...position };
}

function answer(index: number): NoticeMessage {
  return {
    type: 'appendResponse',
    ...TERM,
    to: 2,
    index,
    reject: false,
    hintIndex: 0,
    hintTerm: 0,
  };
}

function setUp() {
  const timers: Array<() => void> = [];
  const due: Array<readonly number[]> = [];
  const notices = new Notices({
    waitMs: 10,
    after: (_delayMs, run) => void timers.push(run),
    due: (peers) => void due.push(peers),
  });
  return { notices, timers, due };
}

test('of the notices of a group and kind the last one is kept', () => {
  const { notices } = setUp();
  notices.add(1, commitNotice(5));
  notices.add(2, commitNotice(6));
  notices.add(1, answer(8));
  notices.add(1, commitNotice(7));
  assert.deepEqual(
    [...notices.take(2)],
    [
      { group: 1, message: commitNotice(7) },
      { group: 2, message: commitNotice(6) },
      { group: 1, message: answer(8) },
    ],
  );
  assert.deepEqual([...notices.take(2)], [], 'each is taken once');
});

test('a message of the same group and kind makes a notice needless, others do not', () => {
  const { notices } = setUp();
  notices.add(1, commitNotice(5));
  notices.add(1, answer(8));
  notices.supersede(2, commitNotice(9));
  notices.supersede(1, commitNotice(9, 3));
  assert.equal([...notices.take(2)].length, 2);
  notices.add(1, commitNotice(5));
  notices.add(1, answer(8));
  notices.supersede(1, commitNotice(9));
  assert.deepEqual([...notices.take(2)], [{ group: 1, message: answer(8) }]);
});

test('notices that find no frame are due after a while, for their receivers only', () => {
  const { notices, timers, due } = setUp();
  notices.add(1, commitNotice(5, 2));
  notices.add(1, commitNotice(5, 3));
  assert.equal(timers.length, 1);
  for (const _ of notices.take(2));
  timers[0]!();
  assert.deepEqual(due, [[3]]);
  notices.add(1, commitNotice(6, 3));
  assert.equal(timers.length, 2, 'the next one is timed again');
});
