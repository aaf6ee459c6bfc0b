import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleepThrough } from '../src/sleepers-run.js';

test('watchers that read nothing cost a node no memory, and wake to the hash of the leader', {
  timeout: 300_000,
}, async (t) => {
  // A node grows by some 55 MiB whoever watches; without a bound this would be some 100 more.
  const limits = { growthMiBMax: 80, queueBytesMax: 256 * 1024 };
  const report = await sleepThrough({ seconds: 10, rate: 1000, watchers: 100, ...limits });
  t.diagnostic(JSON.stringify(report));
  assert.ok(report.deltas > 3000, `${report.deltas} deltas`);
});
