// The official JSON Patch test suite (npm json-patch-test-suite): every active record, and those of the
// disabled ones that a strict implementation can be held to as well.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { applyPatch } from '../src/apply.js';
import { canonicalJson } from '../src/canonical.js';
import { fromJson, type Json } from '../src/json.js';
import { parsePatch } from '../src/parse-patch.js';

interface SuiteRecord {
  readonly comment?: string;
  readonly doc: Json;
  readonly patch: Json;
  readonly expected?: Json;
  readonly error?: string;
  readonly disabled?: boolean;
}

const require = createRequire(import.meta.url);

for (const file of ['tests.json', 'spec_tests.json']) {
  const path = require.resolve(`json-patch-test-suite/${file}`);
  const records = JSON.parse(readFileSync(path, 'utf8')) as readonly SuiteRecord[];

  records.forEach((record, i) => {
    // Disabled for others: whole documents that are scalars, and names repeated (JSON.parse hides them).
    const title = record.comment ?? record.error ?? JSON.stringify(record.patch);
    if (record.disabled && record.error !== undefined) return;
    test(`${file} ${i}: ${title}`, () => {
      const apply = (): string =>
        canonicalJson(applyPatch(fromJson(record.doc), parsePatch(record.patch)));
      if (record.error !== undefined) assert.throws(apply, { code: 'BAD_PATCH' });
      else assert.equal(apply(), canonicalJson(fromJson(record.expected ?? record.doc)));
    });
  });

  test(`${file} is complete`, () => {
    assert.equal(records.length, file === 'tests.json' ? 78 : 17);
  });
}

test('an operation with two "op" members is refused (RFC 6902 appendix A.13)', () => {
  const text = '[{ "op": "add", "path": "/baz", "value": "qux", "op": "remove" }]';
  assert.throws(() => parsePatch(text), { code: 'INVALID_ARGUMENT' });
});
