import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualLoop } from './support/loop.js';

test('a turn handles all that has gathered, in order, then works it off once', () => {
  const log: string[] = [];
  const { loop, run } = new ManualLoop(() => log.push('work'));
  loop.enqueue(() => log.push('a'));
  loop.enqueue(() => log.push('b'));
  assert.deepEqual(log, []);
  run();
  assert.deepEqual(log, ['a', 'b', 'work']);
  assert.equal(loop.turns, 1);
});

test('what comes up in a turn belongs to the next one', () => {
  const log: string[] = [];
  const { loop, run } = new ManualLoop(() => log.push('work'));
  loop.enqueue(() => {
    log.push('a');
    loop.enqueue(() => log.push('b'));
  });
  run();
  assert.deepEqual(log, ['a', 'work', 'b', 'work']);
});

test('work that wakes the loop gets another turn, and only one', () => {
  let works = 0;
  const manual = new ManualLoop(() => {
    works++;
    if (works < 3) manual.loop.wake();
    manual.loop.wake();
    if (works > 5) throw new Error('woken for ever');
    if (works >= 3) manual.loop.stop();
  });
  manual.loop.wake();
  manual.loop.wake();
  assert.equal(manual.due, 1);
  manual.run();
  assert.equal(works, 3);
});

test('a loop that stops drops its events and tells each, also in the middle of a turn', () => {
  const log: string[] = [];
  const { loop, run } = new ManualLoop(() => log.push('work'));
  loop.enqueue(() => {
    log.push('a');
    loop.stop();
  });
  loop.enqueue(
    () => log.push('b'),
    () => log.push('b dropped'),
  );
  run();
  loop.enqueue(
    () => log.push('c'),
    () => log.push('c dropped'),
  );
  run();
  assert.deepEqual(log, ['a', 'b dropped', 'c dropped'], 'it does not go on with what is closed');
  const gathered = new ManualLoop();
  gathered.loop.enqueue(
    () => log.push('d'),
    () => log.push('d dropped'),
  );
  gathered.loop.stop();
  gathered.run();
  assert.equal(log.at(-1), 'd dropped');
});
