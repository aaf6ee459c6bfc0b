import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenHistory } from '../../src/index.js';

/** Two messages were accepted, one has no answer, one was refused. */
function sample(): TokenHistory {
  const history = new TokenHistory('a');
  for (const token of ['t1', 't2', 't3', 't4']) history.sent(token);
  history.accepted('t1', 1, 0);
  history.accepted('t2', 2, history.begin());
  history.refused('t4');
  return history;
}

test('a history that keeps its promises passes, with an unanswered message or without', () => {
  sample().end(['t1', 't2']);
  sample().end(['t1', 't2 and padding', 't3']);
  const read = sample();
  read.saw(2, read.begin());
  read.copy(['t1']);
  read.end(['t1', 't2']);
});

test('a token that is lost, doubled, out of place, refused or never sent is found', () => {
  assert.throws(() => sample().end(['t1']), /t2 was accepted at 2/);
  assert.throws(() => sample().end([]), /accepted/);
  assert.throws(() => sample().end(['t1', 't2', 't2']), /twice/);
  assert.throws(() => sample().end(['t2', 't1']), /1 is t1 and t2/);
  assert.throws(() => sample().end(['t1', 't2', 't4']), /refused/);
  assert.throws(() => sample().end(['t1', 't2', 'x']), /never sent/);
});

test('a retry that gets another answer than the first is found', () => {
  const history = sample();
  history.accepted('t2', 2, 0);
  assert.throws(() => history.accepted('t2', 3, 0), /t2 at 2 and 3/);
  assert.throws(() => history.accepted('t4', 3, 0), /refused and accepted/);
  assert.throws(() => history.refused('t1'), /accepted and refused/);
});

test('a message that takes effect before one that was answered earlier is found', () => {
  const history = sample();
  assert.throws(() => history.accepted('t3', 2, history.begin()), /though 2 was answered before/);
});

test('an answer that shows less than was known before it was asked for is found', () => {
  const history = sample();
  const floor = history.begin();
  assert.throws(() => history.saw(1, floor), /1 was shown though 2 was known/);
  history.saw(5, floor);
  assert.throws(() => history.saw(4, history.begin()), /4 was shown though 5 was known/);
  assert.throws(() => history.end(['t1', 't2']), /5 was known/);
});

test('two copies that differ at a seq are found', () => {
  const history = sample();
  history.copy(['t1', 't2', 't3']);
  assert.throws(() => history.copy(['t1', 't2', 'other']), /3 is t3 and other/);
});
