import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import fc from 'fast-check';
import { applyPatch } from '../src/apply.js';
import { canonicalJson } from '../src/canonical.js';
import { diffJson, diffValues, diffWithin } from '../src/diff.js';
import { fromJson, type Json } from '../src/json.js';
import { bytesOf, hashText } from '../src/measure.js';
import { encodePatch, type Operation, type Patch, patchBytes } from '../src/operation.js';
import { parseValue } from '../src/parse.js';
import { parsePatch } from '../src/parse-patch.js';
import type { Value } from '../src/value.js';
import { json, scalar, wideJson } from './arbitraries.js';
import { choice, patchFor } from './patch-arbitraries.js';

test('the difference of two values makes one out of the other', () => {
  fc.assert(
    fc.property(fc.oneof(json, wideJson), fc.oneof(json, wideJson), (a, b) => {
      leads(fromJson(a), fromJson(b));
    }),
    { numRuns: 250 },
  );
});

test('the difference between a state and a later one leads there, shared or not', () => {
  fc.assert(
    fc.property(wideJson, fc.array(choice, { maxLength: 8 }), (document, choices) => {
      const before = fromJson(document);
      const after = applyPatch(before, patchFor(before, choices));
      leads(before, after);
      leads(after, before);
      leads(before, parseValue(canonicalJson(after)));
    }),
    { numRuns: 150 },
  );
});

test('arrays of few different elements differ by what changed', () => {
  const few = fc.array(
    fc.oneof(fc.nat({ max: 3 }), scalar, fc.constant([1]), fc.constant({ a: 1 })),
    {
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(few, few, (a, b) => leads(fromJson(a), fromJson(b))),
    { numRuns: 250 },
  );
});

test('a difference within a limit is the same one, and there is none beyond it', () => {
  fc.assert(
    fc.property(wideJson, fc.array(choice, { maxLength: 8 }), fc.nat(), (document, choices, n) => {
      const before = fromJson(document);
      const after = applyPatch(before, patchFor(before, choices));
      const patch = diffValues(before, after);
      const bytes = Math.max(0, patchBytes(patch) - 2);
      const most = patch.length === 0 ? 0 : bytes + 1;
      assert.deepEqual(diffWithin(before, after, most), patch);
      assert.deepEqual(diffWithin(before, after, most + (n % 500)), patch);
      if (most > 0) assert.equal(diffWithin(before, after, n % most), undefined);
    }),
    { numRuns: 300 },
  );
});

const SMALL: readonly (readonly [Json, Json, string])[] = [
  [{ a: 1 }, { a: 1 }, '[]'],
  [
    { a: 1, b: 2, same: 'x'.repeat(99) },
    { b: 3, c: 4, same: 'x'.repeat(99) },
    '[{"op":"remove","path":"/a"},{"op":"replace","path":"/b","value":3},{"op":"add","path":"/c","value":4}]',
  ],
  [[1, 2, 3], [1, 3], '[{"op":"remove","path":"/1"}]'],
  [[1, 3], [1, 2, 3], '[{"op":"add","path":"/1","value":2}]'],
  [[1, 2, 3], [1, 'x', 3], '[{"op":"replace","path":"/1","value":"x"}]'],
  [
    [
      { id: 1, tags: ['x', 'y'] },
      { id: 2, tags: ['x', 'y'] },
    ],
    [
      { id: 1, tags: ['x', 'y'] },
      { id: 3, tags: ['x', 'y'] },
    ],
    '[{"op":"replace","path":"/1/id","value":3}]',
  ],
  [
    { 'a/b': { 'm~n': 1, x: 'xxxxxxxxxxxxxxxx' } },
    { 'a/b': { 'm~n': 2, x: 'xxxxxxxxxxxxxxxx' } },
    '[{"op":"replace","path":"/a~1b/m~0n","value":2}]',
  ],
  [[], {}, '[{"op":"replace","path":"","value":{}}]'],
  [1, '1', '[{"op":"replace","path":"","value":"1"}]'],
];

test('differences are what one would write by hand', () => {
  for (const [before, after, expected] of SMALL) {
    assert.equal(Buffer.from(encodePatch(diffJson(before, after))).toString(), expected);
  }
});

test('a container that changed throughout is replaced as a whole', () => {
  const before = { list: Array.from({ length: 100 }, (_, i) => i), o: { a: 1, b: 2, c: 3, d: 4 } };
  const after = { list: [7], o: { e: 1 } };
  assert.equal(diffJson(before, after).length, 1);
});

test('a few changes anywhere in a huge document make a patch as small, at the cost of the changes', () => {
  const size = 200_000;
  const before = fromJson({
    array: Array.from({ length: size }, (_, i) => i),
    object: Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, i])),
  });
  const random = makePrng(1);
  const operations: Operation[] = [];
  for (let i = 0; i < 20; i++) {
    operations.push(
      { op: 'add', path: `/array/${random.below(size)}`, value: 'new' },
      { op: 'remove', path: `/array/${random.below(size)}` },
      { op: 'replace', path: `/array/${random.below(size)}`, value: 'other' },
      { op: 'add', path: `/object/n${random.next()}`, value: 'new' },
      { op: 'replace', path: `/object/k${i * 7}`, value: 'other' },
      { op: 'remove', path: `/object/k${1000 + i}` },
    );
  }
  const after = applyPatch(before, operations);
  const start = process.hrtime.bigint();
  const difference = diffValues(before, after);
  const took = process.hrtime.bigint() - start;
  assert.ok(difference.length <= operations.length, `${difference.length} operations`);
  assert.equal(hashText(applyPatch(before, difference)), hashText(after));
  assert.ok(took < 500_000_000n, `took ${took} ns`);
});

test('a queue that moved on differs by what left and what came', () => {
  const before = fromJson(Array.from({ length: 50_000 }, (_, i) => ({ job: i })));
  const steps: Operation[] = [];
  for (let i = 0; i < 30; i++) {
    steps.push(
      { op: 'remove', path: '/0' },
      { op: 'add', path: '/-', value: fromJson({ job: -i }) },
    );
  }
  const after = applyPatch(before, steps);
  assert.ok(diffValues(before, after).length <= 60);
  leads(before, after);
  assert.ok(diffValues(before, parseValue(canonicalJson(after))).length <= 60, 'nothing shared');
});

test('more changes than a script is looked for are found position by position', () => {
  const before = fromJson(Array.from({ length: 5000 }, (_, i) => i));
  const half = Array.from({ length: 5000 }, (_, i) => (i % 2 ? i : `s${i}`));
  leads(before, fromJson(half));
  leads(before, fromJson([...half, ...half]));
  leads(fromJson([...half, ...half]), before);
});

test('documents that a comparison member by member gets wrong are compared', () => {
  const awkward: readonly (readonly [Json, Json])[] = [
    [null, {}],
    [1, 2],
    [[], {}],
    [{ a: [] }, { a: {} }],
    [JSON.parse('{"__proto__":1}') as Json, JSON.parse('{"__proto__":{"a":2}}') as Json],
  ];
  for (const [before, after] of awkward) leads(fromJson(before), fromJson(after));
});

/** Holds that the difference of two values leads from one to the other and is no longer than the other. */
function leads(before: Value, after: Value): void {
  const patch: Patch = diffValues(before, after);
  const bytes = encodePatch(patch);
  const made = applyPatch(before, parsePatch(bytes));
  assert.equal(canonicalJson(made), canonicalJson(after));
  assert.equal(hashText(made), hashText(after));
  const whole = '[{"op":"replace","path":"","value":}]'.length + bytesOf(after);
  assert.ok(bytes.length <= whole, 'it is never longer than replacing everything');
}
