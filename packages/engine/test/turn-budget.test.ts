import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { TurnBudget } from '../src/turn-budget.js';

const LIMITS = {
  ...DEFAULT_LIMITS,
  ...{ turnMessagesMax: 3, turnFuelMax: 1000, turnMsMax: 40, applyBytesMax: 50 },
};

/** A clock that stands still. */
const still = (): number => 7000;

test('a turn ends after so many messages, or as much fuel (LogicCannotHurtTheHost)', () => {
  const many = new TurnBudget(LIMITS, still);
  for (let count = 0; count < 3; count++) {
    assert.ok(!many.spent);
    many.spend(1);
  }
  assert.ok(many.spent);
  const expensive = new TurnBudget(LIMITS, still);
  expensive.spend(999);
  assert.ok(!expensive.spent);
  expensive.spend(1);
  assert.ok(expensive.spent);
});

test('a turn ends after so much time, however little fuel its messages say (pitfall 21)', () => {
  let nowMs = 7000;
  let looks = 0;
  const limits = { ...LIMITS, turnMessagesMax: 10_000, turnFuelMax: 1e9 };
  const budget = new TurnBudget(limits, () => {
    looks++;
    return nowMs;
  });
  // Each says that it took 2 ms, and takes 5.
  for (let count = 0; count < 8; count++) {
    assert.ok(!budget.spent, `after ${nowMs - 7000} ms`);
    nowMs += 5;
    budget.spend(2_000_000);
  }
  assert.ok(budget.spent);
  looks = 0;
  const cheap = new TurnBudget(limits, () => {
    looks++;
    return nowMs;
  });
  for (let count = 0; count < 1000; count++) cheap.spend(2000);
  assert.ok(looks <= 3, `${looks} looks at the clock for a thousand small messages`);
});

test('what was slow to apply leaves no time to execute', () => {
  let nowMs = 7000;
  const budget = new TurnBudget(LIMITS, () => nowMs);
  budget.apply(1);
  assert.ok(!budget.spent);
  nowMs += 1000;
  budget.apply(1);
  assert.ok(budget.spent);
  assert.ok(!budget.applied, 'what is decided has its own bound');
});

test('a turn applies so many bytes of the log, apart from what it executes', () => {
  const budget = new TurnBudget(LIMITS, still);
  budget.apply(49);
  assert.ok(!budget.applied);
  budget.apply(1);
  assert.ok(budget.applied);
  assert.ok(!budget.spent);
});
