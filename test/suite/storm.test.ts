import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storm } from '../src/storm-run.js';

test('64 writers lose no acknowledged token while nodes are killed', {
  timeout: 120_000,
}, async () => {
  const { acknowledged, unknown, kills } = await storm({ seconds: 11, seed: 1, killEveryMs: 3000 });
  assert.equal(kills, 3);
  assert.ok(acknowledged > 1000, `${acknowledged} acknowledged`);
  assert.equal(unknown, 0, 'every call was answered within its deadline');
});
