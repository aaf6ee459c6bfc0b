import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DueTimes } from '../../src/streams/due-times.js';

/** Due times on a clock that stands until the bench moves it. */
function setUp() {
  let nowMs = 1000;
  const timers: Array<{ readonly atMs: number; readonly step: () => void }> = [];
  const called: string[] = [];
  const after = (delayMs: number, step: () => void): void => {
    timers.push({ atMs: nowMs + delayMs, step });
  };
  const times = new DueTimes<string>({ nowMs: () => nowMs, after }, (one) => called.push(one));
  const pass = (untilMs: number): void => {
    nowMs = untilMs;
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    for (const timer of due) {
      timers.splice(timers.indexOf(timer), 1);
      timer.step();
    }
  };
  return { times, timers, called, pass };
}

test('those of one moment are called together, by one timer', () => {
  const { times, timers, called, pass } = setUp();
  times.set('a', 1100);
  times.set('b', 1100);
  times.set('a', 1100);
  times.set('c', 1200);
  assert.equal(timers.length, 2);
  pass(1100);
  assert.deepEqual(called, ['a', 'b']);
  pass(1300);
  assert.deepEqual(called, ['a', 'b', 'c']);
});

test('who is due at another moment, or not at all, is not called at the first', () => {
  const { times, called, pass } = setUp();
  times.set('a', 1100);
  times.set('a', 1200);
  times.set('b', 1100);
  times.delete('b');
  times.delete('c');
  pass(1100);
  assert.deepEqual(called, []);
  pass(1200);
  assert.deepEqual(called, ['a']);
});

test('who was called can be set again, also for a moment that has passed', () => {
  const { times, called, pass } = setUp();
  times.set('a', 900);
  pass(1000);
  times.set('a', 900);
  pass(1001);
  assert.deepEqual(called, ['a', 'a']);
});
