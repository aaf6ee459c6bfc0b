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

test('of the notices of a group and kind the last one is kept', () => {
  const notices = new Notices();
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
  const notices = new Notices();
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

test('it is known for whom any wait', () => {
  const notices = new Notices();
  notices.add(1, commitNotice(5, 2));
  notices.add(1, commitNotice(5, 3));
  for (const _ of notices.take(2));
  assert.deepEqual(notices.receivers, [3]);
  notices.forget(3);
  assert.deepEqual(notices.receivers, []);
});
