import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderReplay, replay } from '../src/replay-run.js';
import { ROOT } from '../src/workspace.js';

const DATA = join(ROOT, '..', 'shared', 'data');
const LIMIT_MS = 120_000;

for (const name of ['sveltecomponent', 'friendsforever_flat']) {
  const file = join(DATA, `${name}.json.gz`);
  const skip = existsSync(file) ? false : 'the editing histories are not beside this checkout';

  test(`${name}: each keystroke takes effect once while two leaders are killed`, {
    skip,
    timeout: LIMIT_MS,
  }, async (t) => {
    const report = await replay({ file });
    t.diagnostic(renderReplay(report));
    const { messages, seq, kills, traffic } = report;
    assert.equal(seq, messages);
    const answers = kills.map(({ answered }) => answered);
    assert.deepEqual(answers, [Math.floor(messages / 3), Math.floor((2 * messages) / 3)]);
    for (const { inFlight } of kills) assert.ok(inFlight > 0, 'messages were under way');
    const { logBytes, diskBytes, peerBytes, clientBytes } = traffic;
    // A keystroke cannot be kept on three nodes, sent to two and come from a client in less.
    for (const bytes of [logBytes / 3, peerBytes / 2, clientBytes])
      assert.ok(bytes > 20 * messages);
    assert.ok(logBytes < diskBytes, 'the disk keeps more than the log');
  });
}
