// Golden scenarios: what a small cluster does, step by step, as text. `UPDATE=1` writes what it does now; read
// the difference before you commit it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runScenario } from './support/scenario.js';

// The compiled test is in dist/test, the scenarios are beside its source.
const FOLDER = new URL('../../test/scenarios/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.txt'));

test('there are scenarios', () => {
  assert.ok(FILES.length >= 75);
});

for (const file of FILES) {
  test(`scenario ${file.replace('.txt', '').replaceAll('-', ' ')}`, () => {
    const path = new URL(file, FOLDER);
    const expected = readFileSync(path, 'utf8');
    const actual = runScenario(expected);
    if (process.env['UPDATE'] === '1') writeFileSync(path, actual);
    else assert.equal(actual, expected);
  });
}
