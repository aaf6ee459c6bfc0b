import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { replay } from '../src/replay-run.js';
import { ROOT } from '../src/workspace.js';

const DATA = join(ROOT, '..', 'shared', 'data');
const LIMIT_MS = 120_000;

for (const name of ['sveltecomponent', 'friendsforever_flat']) {
  const file = join(DATA, `${name}.json.gz`);
  const skip = existsSync(file) ? false : 'the editing histories are not beside this checkout';

  test(`${name}: each keystroke takes effect once while two leaders are killed`, {
    skip,
    timeout: LIMIT_MS,
  }, async () => {
    const { messages, seq, kills } = await replay({ file });
    assert.equal(kills, 2);
    assert.equal(seq, messages);
  });
}
