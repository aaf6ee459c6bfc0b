import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Task, wait } from '../src/task.js';
import { Tasks } from '../src/tasks.js';
import { ManualLoop } from './support/loop.js';

test('a task goes on in turns, and its result comes when it ends', () => {
  const { loop, run } = new ManualLoop();
  let answer: (value: number) => void = () => {};
  function* task(): Task<number> {
    const value = yield* wait<number>((done) => {
      answer = done;
    });
    return value + 1;
  }
  let result = 0;
  new Tasks(loop).run(task(), (value) => {
    result = value;
  });
  answer(41);
  assert.equal(result, 0);
  run();
  assert.equal(result, 42);
});

test('of queued tasks so many run at a time, and all of them in the end', () => {
  const { loop, run } = new ManualLoop();
  const open: Array<() => void> = [];
  function* task(): Task<void> {
    yield* wait<void>((done) => void open.push(() => done()));
  }
  const tasks = new Tasks(loop);
  let ended = 0;
  for (let count = 0; count < 100; count++) {
    tasks.queue(task(), () => {
      ended++;
    });
  }
  let most = 0;
  while (ended < 100) {
    most = Math.max(most, open.length);
    open.shift()!();
    run();
  }
  assert.equal(most, 16);
});

test('what a task throws ends the node: it is a defect or damage', () => {
  const { loop, run } = new ManualLoop();
  function* task(): Task<void> {
    yield* wait<void>((done) => done());
    throw new Error('damage');
  }
  new Tasks(loop).run(task(), () => {});
  assert.throws(run, /damage/);
});
