// Nodes come and go in a real cluster that is written to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, storm } from '../src/storm-run.js';

/** Of documents, unless a cluster is told otherwise; the system group comes beside them. */
const GROUPS = 16;

test('all nodes are replaced one by one under 64 writers, and no message is lost, doubled or refused', {
  timeout: 240_000,
}, async (t) => {
  const report = await storm({ seconds: 1, seed: 1, replaces: true, faultEveryMs: 1000 });
  const { acknowledged, refused, unknown, replacements } = report;
  for (const replacement of replacements) {
    t.diagnostic(describe(replacement));
    const { gapMs, inChunks } = replacement;
    assert.ok(gapMs < 2000, `a group made no progress for ${gapMs} ms`);
    assert.ok(inChunks >= GROUPS, `${inChunks} groups came by a snapshot in several chunks`);
  }
  assert.deepEqual(
    replacements.map(({ old, node }) => [old, node]),
    [
      [1, 4],
      [2, 5],
      [3, 6],
    ],
  );
  assert.ok(acknowledged > 1000, `${acknowledged} acknowledged`);
  assert.equal(refused + unknown, 0, 'every call was answered within its deadline');
});
