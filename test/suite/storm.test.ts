import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS } from '../src/storm-faults.js';
import { storm } from '../src/storm-run.js';

test('64 writers lose no acknowledged token while nodes are killed', {
  timeout: 120_000,
}, async (t) => {
  const report = await storm({ seconds: 11, seed: 1, faultEveryMs: 3000 });
  t.diagnostic(JSON.stringify(report));
  const { acknowledged, refused, unknown, faults } = report;
  assert.ok(faults.kill >= 2, 'nodes were killed, again while others had just come back');
  assert.ok(acknowledged > 1000, `${acknowledged} acknowledged`);
  assert.equal(refused + unknown, 0, 'every call was answered within its deadline');
});

test('nor while nodes are killed, paused and stopped in order', {
  timeout: 120_000,
}, async (t) => {
  // The first three faults of this seed are a pause, a kill and an orderly stop.
  const seed = 3;
  const report = await storm({
    seconds: 15,
    seed,
    faults: FAULTS,
    faultEveryMs: 1500,
    pauseMsMax: 2500,
  });
  t.diagnostic(JSON.stringify(report));
  const { acknowledged, refused, unknown, faults } = report;
  for (const fault of FAULTS) assert.ok(faults[fault] > 0, `${fault} came`);
  assert.ok(acknowledged > 500, `${acknowledged} acknowledged`);
  assert.equal(refused + unknown, 0, 'every call was answered within its deadline');
});
