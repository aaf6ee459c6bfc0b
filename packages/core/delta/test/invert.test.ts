import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyPatch } from '../src/apply.js';
import { canonicalJson } from '../src/canonical.js';
import { applyWithInverse } from '../src/invert.js';
import { fromJson, type Json } from '../src/json.js';
import { hashText } from '../src/measure.js';
import { encodePatch } from '../src/operation.js';
import { parsePatch } from '../src/parse-patch.js';
import { json } from './arbitraries.js';
import { choice, patchFor } from './patch-arbitraries.js';

test('the inverse of a patch takes its state back, byte for byte', () => {
  fc.assert(
    fc.property(json, fc.array(choice, { maxLength: 8 }), (document, choices) => {
      const before = fromJson(document);
      const patch = patchFor(before, choices);
      const { root, inverse } = applyWithInverse(before, patch);
      assert.equal(canonicalJson(root), canonicalJson(applyPatch(before, patch)));
      const back = applyPatch(root, inverse);
      assert.equal(canonicalJson(back), canonicalJson(before));
      assert.equal(hashText(back), hashText(before));
    }),
    { numRuns: 400 },
  );
});

/** A document, an operation, and the inverse it must have. */
const INVERSES: readonly (readonly [Json, Json, string])[] = [
  [{}, { op: 'add', path: '/a', value: 1 }, '[{"op":"remove","path":"/a"}]'],
  [{ a: 0 }, { op: 'add', path: '/a', value: 1 }, '[{"op":"replace","path":"/a","value":0}]'],
  [[1], { op: 'add', path: '/-', value: 2 }, '[{"op":"remove","path":"/1"}]'],
  [{ '-': 0 }, { op: 'add', path: '/-', value: 2 }, '[{"op":"replace","path":"/-","value":0}]'],
  [[1], { op: 'add', path: '/0', value: 2 }, '[{"op":"remove","path":"/0"}]'],
  [1, { op: 'add', path: '', value: 2 }, '[{"op":"replace","path":"","value":1}]'],
  [[1, 2], { op: 'remove', path: '/0' }, '[{"op":"add","path":"/0","value":1}]'],
  [{ a: 1 }, { op: 'replace', path: '/a', value: 2 }, '[{"op":"replace","path":"/a","value":1}]'],
  [{ a: 1 }, { op: 'test', path: '/a', value: 1 }, '[]'],
  [{ a: 1 }, { op: 'move', from: '/a', path: '/b' }, '[{"from":"/b","op":"move","path":"/a"}]'],
  [{ a: 1 }, { op: 'move', from: '/a', path: '/a' }, '[]'],
  [[1, 2], { op: 'move', from: '/0', path: '/-' }, '[{"from":"/1","op":"move","path":"/0"}]'],
  [
    { a: 1, b: 2 },
    { op: 'move', from: '/a', path: '/b' },
    '[{"op":"replace","path":"/b","value":2},{"op":"add","path":"/a","value":1}]',
  ],
  [
    [[1, 2]],
    { op: 'move', from: '/0/1', path: '/0' },
    '[{"op":"remove","path":"/0"},{"op":"add","path":"/0/1","value":2}]',
  ],
  [{ a: 1 }, { op: 'copy', from: '/a', path: '/b' }, '[{"op":"remove","path":"/b"}]'],
];

test('each kind of operation has its inverse', () => {
  for (const [document, operation, expected] of INVERSES) {
    const { inverse } = applyWithInverse(fromJson(document), parsePatch([operation]));
    assert.equal(Buffer.from(encodePatch(inverse)).toString(), expected);
  }
});

test('a patch that fails has no inverse', () => {
  const patch = parsePatch([
    { op: 'add', path: '/a', value: 1 },
    { op: 'remove', path: '/b' },
  ]);
  assert.throws(() => applyWithInverse(fromJson({}), patch), /operation 1/);
});
