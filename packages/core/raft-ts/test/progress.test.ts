import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RaftAssertionError } from '../src/assert.js';
import { makeProgress, type Progress } from '../src/progress.js';

const LIMITS = { messagesMax: 2, bytesMax: Infinity };

function replicating(match: number): Progress {
  const progress = makeProgress(match + 1, false, LIMITS);
  progress.maybeUpdate(match);
  progress.becomeReplicate();
  return progress;
}

test('a new progress probes from where it was told to begin', () => {
  const progress = makeProgress(7, true, LIMITS);
  const { match, next, state, isPaused, isLearner, recentActive } = progress;
  assert.deepEqual(
    { match, next, state, isPaused, isLearner, recentActive },
    { match: 0, next: 7, state: 'probe', isPaused: false, isLearner: true, recentActive: false },
  );
  assert.throws(() => makeProgress(0, false, LIMITS), RaftAssertionError);
});

test('a probe waits after an append with entries, and not after an empty one', () => {
  const progress = makeProgress(5, false, LIMITS);
  progress.sentEntries(0, 0);
  assert.equal(progress.isPaused, false);
  progress.sentEntries(1, 10);
  assert.equal(progress.isPaused, true);
  assert.equal(progress.next, 5, 'a probe does not run ahead');
});

test('replication runs ahead until its window is full', () => {
  const progress = replicating(4);
  progress.sentEntries(3, 30);
  assert.deepEqual([progress.next, progress.isPaused], [8, false]);
  progress.sentEntries(1, 10);
  assert.deepEqual([progress.next, progress.isPaused], [9, true]);
  assert.ok(progress.maybeUpdate(7));
  progress.inflights.freeTo(7);
  assert.deepEqual([progress.match, progress.isPaused, progress.inflights.count], [7, false, 1]);
});

test('nothing is appended while a snapshot is on its way', () => {
  const progress = makeProgress(1, false, LIMITS);
  progress.becomeSnapshot(10);
  assert.deepEqual([progress.isPaused, progress.next, progress.pendingSnapshot], [true, 11, 10]);
  assert.throws(() => progress.sentEntries(1, 1), RaftAssertionError);
});

test('after a snapshot probing goes on behind it, after a failed one behind what matches', () => {
  const delivered = makeProgress(1, false, LIMITS);
  delivered.becomeSnapshot(10);
  delivered.becomeProbe();
  assert.deepEqual([delivered.state, delivered.next, delivered.pendingSnapshot], ['probe', 11, 0]);
  const failed = makeProgress(1, false, LIMITS);
  failed.maybeUpdate(3);
  failed.becomeSnapshot(10);
  failed.pendingSnapshot = 0;
  failed.becomeProbe();
  assert.equal(failed.next, 4);
});

test('going back to probing forgets what was in flight', () => {
  const progress = replicating(4);
  progress.sentEntries(2, 1);
  progress.sentEntries(2, 1);
  progress.becomeProbe();
  assert.deepEqual([progress.next, progress.isPaused, progress.inflights.count], [5, false, 0]);
});

test('match never goes back', () => {
  const progress = replicating(4);
  assert.equal(progress.maybeUpdate(4), false);
  assert.equal(progress.maybeUpdate(3), false);
  assert.equal(progress.match, 4);
  assert.equal(progress.maybeUpdate(9), true);
  assert.deepEqual([progress.match, progress.next], [9, 10]);
});

test('a rejection moves next back, one that is out of date does not', () => {
  const table: readonly (readonly [
    state: 'probe' | 'replicate',
    match: number,
    next: number,
    rejected: number,
    hint: number,
    isNews: boolean,
    after: number,
  ])[] = [
    ['replicate', 5, 10, 5, 5, false, 10],
    ['replicate', 5, 10, 4, 4, false, 10],
    ['replicate', 5, 10, 9, 7, true, 6],
    ['probe', 0, 1, 5, 5, false, 1],
    ['probe', 0, 10, 5, 5, false, 10],
    ['probe', 0, 10, 9, 9, true, 9],
    ['probe', 0, 10, 9, 2, true, 3],
    ['probe', 0, 10, 9, 0, true, 1],
    ['probe', 4, 10, 9, 2, true, 5],
  ];
  for (const [state, match, next, rejected, hint, isNews, after] of table) {
    const progress = makeProgress(match + 1, false, { messagesMax: 99, bytesMax: Infinity });
    progress.maybeUpdate(match);
    if (state === 'replicate') progress.becomeReplicate();
    if (state === 'replicate') progress.sentEntries(next - match - 1, 1);
    progress.next = next;
    const what = `${state} match ${match} next ${next} rejected ${rejected} hint ${hint}`;
    assert.equal(progress.maybeDecrease(rejected, hint), isNews, what);
    assert.equal(progress.next, after, what);
    assert.equal(progress.match, match, what);
  }
});

test('a rejection lets a probe try again', () => {
  const progress = makeProgress(5, false, LIMITS);
  progress.sentEntries(1, 1);
  assert.ok(progress.maybeDecrease(4, 3));
  assert.equal(progress.isPaused, false);
});

test('a commit index is told once, and only to who may hold it', () => {
  const progress = replicating(4);
  progress.sentEntries(2, 1);
  progress.sentCommit(4);
  assert.equal(progress.canBumpCommit(4), false, 'it was told');
  assert.equal(progress.canBumpCommit(5), true);
  progress.sentCommit(6);
  assert.equal(progress.canBumpCommit(9), false, 'it was told of all that it was sent');
  assert.ok(progress.maybeDecrease(6, 4));
  assert.equal(progress.canBumpCommit(5), false, 'nothing of it is on the way any more');
});

test('a damaged node gets nothing', () => {
  const progress = replicating(4);
  progress.damaged = true;
  assert.equal(progress.isPaused, true);
});
