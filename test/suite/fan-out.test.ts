import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fanOut } from '../src/fan-out-run.js';

test('watchers on nodes and replicas miss nothing while these are killed', {
  timeout: 180_000,
}, async (t) => {
  const report = await fanOut({ seconds: 12, seed: 1, watchers: 150, rate: 20, killEveryMs: 1000 });
  t.diagnostic(JSON.stringify(report));
  const { seq, deltas, moves, kills } = report;
  assert.equal(seq, 241);
  assert.equal(deltas, 150 * 240, 'each watcher got each delta once');
  const killed = Object.keys(kills);
  assert.ok(
    killed.some((name) => name.startsWith('node')),
    killed.join(),
  );
  assert.ok(
    killed.some((name) => name.startsWith('replica')),
    killed.join(),
  );
  assert.ok(moves > 10, `${moves} moves`);
});
