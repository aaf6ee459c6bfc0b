import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import { AnswerAlarm } from '../src/reading/answer-alarm.js';
import { VirtualWorld } from './support/virtual-world.js';

const pass = (world: VirtualWorld, ms: number): Promise<void> => {
  let isOver = false;
  world.after(ms, () => {
    isOver = true;
  });
  return world.runUntil(() => isOver);
};

test('an alarm ends a call that nothing comes to in time, and says so', async () => {
  const world = new VirtualWorld(1);
  const alarm = new AnswerAlarm(world, undefined);
  alarm.set(100);
  await pass(world, 50);
  alarm.set(100);
  await pass(world, 99);
  assert.ok(!alarm.signal.aborted && !alarm.hasRung);
  await pass(world, 2);
  assert.ok(alarm.signal.aborted && alarm.hasRung);
  const explained = alarm.explain(new Error('aborted'));
  assert.ok(explained instanceof DeltabaseError && explained.code === 'DEADLINE_EXCEEDED');
});

test('one that was stopped or closed does not ring', async () => {
  const world = new VirtualWorld(1);
  for (const end of ['stop', 'close'] as const) {
    const alarm = new AnswerAlarm(world, undefined);
    alarm.set(10);
    alarm[end]();
    assert.equal(world.pending, 0);
    await pass(world, 20);
    assert.ok(!alarm.hasRung);
    const thrown = new Error('something else');
    assert.equal(alarm.explain(thrown), thrown);
  }
});

test('a caller that gives up ends the call, now or before it began, and is let go with it', () => {
  const world = new VirtualWorld(1);
  const reason = new Error('enough');
  for (const when of ['before', 'after', 'closed'] as const) {
    const caller = new AbortController();
    if (when === 'before') caller.abort(reason);
    const alarm = new AnswerAlarm(world, caller.signal);
    if (when === 'closed') alarm.close();
    if (when !== 'before') caller.abort(reason);
    assert.equal(alarm.signal.aborted, when !== 'closed');
    if (when !== 'closed') assert.equal(alarm.signal.reason, reason);
    assert.ok(!alarm.hasRung);
  }
});
