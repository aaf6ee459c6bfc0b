import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureOverhead } from './overhead.js';

test('the overhead of metering can be measured: both kinds of code agree and are charged', () => {
  const rows = measureOverhead(5);
  assert.equal(rows.length, 5);
  for (const { workload, plainUs, meteredUs, fuel } of rows) {
    assert.ok(plainUs > 0 && meteredUs > 0 && fuel > 100_000, workload);
  }
  assert.equal(rows.find(({ workload }) => workload.startsWith('recursion'))?.result, 6765);
});
