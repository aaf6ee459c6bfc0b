import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import { ABI_VERSION, type Manifest, parseManifest } from '../src/manifest.js';

const MANIFEST: Manifest = {
  abi: 1,
  channels: ['add', 'remove_all'],
  init: true,
  imports: ['emit', 'read'],
  memoryPages: { initial: 1, max: 256 },
};

test('a manifest survives JSON', () => {
  assert.deepEqual(parseManifest(JSON.parse(JSON.stringify(MANIFEST))), MANIFEST);
});

test('fields of a later version are passed over', () => {
  const later = {
    ...MANIFEST,
    queries: ['top'],
    memoryPages: { ...MANIFEST.memoryPages, step: 2 },
  };
  assert.deepEqual(parseManifest(later), MANIFEST);
});

test('what a manifest does not allow is refused, and the field is named', () => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ['the manifest', null],
    ['the manifest', []],
    ['abi', { ...MANIFEST, abi: 0 }],
    ['abi', { ...MANIFEST, abi: ABI_VERSION + 1 }],
    ['abi', { ...MANIFEST, abi: '1' }],
    ['channels', { ...MANIFEST, channels: 'add' }],
    ['channels', { ...MANIFEST, channels: ['add', 7] }],
    ['channels', { ...MANIFEST, channels: ['b', 'a'] }],
    ['imports', { ...MANIFEST, imports: ['read', 'read'] }],
    ['init', { ...MANIFEST, init: 1 }],
    ['memoryPages', { ...MANIFEST, memoryPages: 1 }],
    ['memoryPages.initial', { ...MANIFEST, memoryPages: { initial: 1.5, max: 2 } }],
    ['memoryPages.max', { ...MANIFEST, memoryPages: { initial: 3, max: 2 } }],
  ];
  for (const [field, json] of wrong) {
    assert.throws(
      () => parseManifest(json),
      (error) =>
        error instanceof DeltabaseError &&
        error.code === 'INVALID_ARGUMENT' &&
        error.details['field'] === field,
      `${field}: ${JSON.stringify(json)}`,
    );
  }
});
