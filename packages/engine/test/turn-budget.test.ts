import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { TurnBudget } from '../src/turn-budget.js';

const LIMITS = { ...DEFAULT_LIMITS, turnMessagesMax: 3, turnFuelMax: 1000, applyBytesMax: 50 };

test('a turn ends after so many messages, or as much fuel (LogicCannotHurtTheHost)', () => {
  const many = new TurnBudget(LIMITS);
  for (let count = 0; count < 3; count++) {
    assert.ok(!many.spent);
    many.spend(1);
  }
  assert.ok(many.spent);
  const expensive = new TurnBudget(LIMITS);
  expensive.spend(999);
  assert.ok(!expensive.spent);
  expensive.spend(1);
  assert.ok(expensive.spent);
});

test('a turn applies so many bytes of the log, apart from what it executes', () => {
  const budget = new TurnBudget(LIMITS);
  budget.apply(49);
  assert.ok(!budget.applied);
  budget.apply(1);
  assert.ok(budget.applied);
  assert.ok(!budget.spent);
});
