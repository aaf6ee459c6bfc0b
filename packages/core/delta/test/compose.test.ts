import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyPatch } from '../src/apply.js';
import { canonicalJson } from '../src/canonical.js';
import { composePatches } from '../src/compose.js';
import { fromJson, type Json, toJson } from '../src/json.js';
import { hashText } from '../src/measure.js';
import type { Patch } from '../src/operation.js';
import { parsePatch } from '../src/parse-patch.js';
import type { Value } from '../src/value.js';
import { json } from './arbitraries.js';
import { checkTree } from './check-tree.js';
import { type Choice, choice, patchFor } from './patch-arbitraries.js';

test('a composition has the effect of its patches in turn', () => {
  fc.assert(
    fc.property(json, fc.array(choice, { maxLength: 12 }), (document, choices) => {
      const before = fromJson(document);
      const patch = patchFor(before, choices);
      holdsOn(before, patch);
    }),
    { numRuns: 400 },
  );
});

/** Names of which every one may be a position, in arrays and in objects. */
const crowded: fc.Arbitrary<Json> = fc.constantFrom<Json>(
  { a: [[1, 2], { 0: 'x', 1: {} }, [], 3], 0: { 0: [1, 2, 3], 1: 2 }, '-': [] },
  [[1, 2, 3], { 0: 1, 1: [0, 0], '-': 1 }, [[], [], {}], 4, 5],
  { 0: { 0: { 0: {} } }, 1: [[[]]], x: { 0: 1, y: 2, 1: 3 } },
);

test('a composition keeps its effect where names may be positions', () => {
  fc.assert(
    fc.property(crowded, fc.array(choice, { maxLength: 16 }), (document, choices) => {
      const before = fromJson(document);
      holdsOn(before, patchFor(before, choices));
    }),
    { numRuns: 600 },
  );
});

test('a composition has the effect of its patches on any document that they fit', () => {
  const small = fc.array(choice, { maxLength: 5 });
  fc.assert(
    fc.property(crowded, crowded, small, (document, other, choices) => {
      const patch = patchFor(fromJson(document), choices);
      holdsOn(fromJson(other), patch);
    }),
    { numRuns: 900 },
  );
});

/** A few places, so that operations meet; and mostly ones that move positions. */
const dense: fc.Arbitrary<Choice> = fc.record({
  op: fc.constantFrom('add', 'add', 'remove', 'remove', 'replace', 'copy'),
  where: fc.nat({ max: 9 }),
  from: fc.nat({ max: 4 }),
  name: fc.constantFrom('0', '1', '-', 'x'),
  value: fc.constantFrom<Json>(0, {}, [], { x: 1 }, [7, 8]),
});

test('a composition keeps its effect where operations crowd', () => {
  const start = fc.constantFrom<Json>([0, [1, 2], {}], { 0: [1, [2], 3], '-': {}, x: { 0: 1 } });
  fc.assert(
    fc.property(start, fc.array(dense, { maxLength: 12 }), (document, choices) => {
      const before = fromJson(document);
      holdsOn(before, patchFor(before, choices));
    }),
    { numRuns: 900 },
  );
});

/** A document, and operations of which none may be taken for another. */
const DELICATE: readonly (readonly [Json, readonly Plain[]])[] = [
  [
    { a: [0, 1, { x: 2 }, { x: 3 }] },
    [
      { op: 'remove', path: '/a/1' },
      { op: 'replace', path: '/a/2/x', value: 9 },
      { op: 'add', path: '/a/1', value: 'new' },
    ],
  ],
  [
    { a: [0] },
    [
      { op: 'add', path: '/a/-', value: {} },
      { op: 'add', path: '/a/1/k', value: 1 },
      { op: 'remove', path: '/a/1/k' },
      { op: 'replace', path: '/a', value: [] },
    ],
  ],
  [
    { o: {} },
    [
      { op: 'add', path: '/o/-', value: 1 },
      { op: 'replace', path: '/o/-', value: 2 },
      { op: 'add', path: '/o/-', value: 3 },
      { op: 'replace', path: '/o', value: [] },
    ],
  ],
  [
    { a: [0, 1, 2] },
    [
      { op: 'add', path: '/a/0', value: 'x' },
      { op: 'copy', from: '/a/2', path: '/b' },
      { op: 'replace', path: '/a', value: [] },
    ],
  ],
  [
    { a: [0, { x: 1 }, { x: 2 }] },
    [
      { op: 'add', path: '/a/0', value: 'x' },
      { op: 'copy', from: '/a/2/x', path: '/b' },
      { op: 'replace', path: '/a', value: [] },
    ],
  ],
  [
    { o: { 1: 'old' } },
    [
      { op: 'add', path: '/o/1', value: 'new' },
      { op: 'remove', path: '/o/1' },
    ],
  ],
  [
    { a: [[1, 2], 3] },
    [
      { op: 'add', path: '/a/0', value: [[1, 2, 3]] },
      { op: 'copy', from: '/a/0/0/1', path: '/a/0' },
      { op: 'replace', path: '/a/0', value: 0 },
    ],
  ],
];

test('a composition keeps its effect where it could be mistaken', () => {
  for (const [document, operations] of DELICATE) {
    const patch = parsePatch(operations as unknown as Json);
    assert.doesNotThrow(() => applyPatch(fromJson(document), patch));
    holdsOn(fromJson(document), patch);
  }
});

test('an overwritten value is not sent', () => {
  composes(
    [
      { op: 'replace', path: '/n', value: 1 },
      { op: 'replace', path: '/m', value: 1 },
      { op: 'replace', path: '/n', value: 2 },
      { op: 'add', path: '/n', value: 3 },
    ],
    [
      { op: 'replace', path: '/n', value: 3 },
      { op: 'replace', path: '/m', value: 1 },
    ],
  );
});

test('changes to an added value become part of it', () => {
  composes(
    [
      { op: 'add', path: '/list/0', value: {} },
      { op: 'add', path: '/list/0/a', value: 1 },
      { op: 'add', path: '/list/0/b', value: 2 },
      { op: 'move', from: '/list/0/b', path: '/list/0/c' },
      { op: 'remove', path: '/list/0/a' },
    ],
    [{ op: 'add', path: '/list/0', value: { c: 2 } }],
  );
});

test('changes below what is removed are dropped', () => {
  composes(
    [
      { op: 'replace', path: '/a/b/0', value: 1 },
      { op: 'add', path: '/a/b/0', value: 2 },
      { op: 'add', path: '/a/c', value: 3 },
      { op: 'remove', path: '/a' },
    ],
    [{ op: 'remove', path: '/a' }],
  );
});

test('a removal and an addition at one place become a replacement', () => {
  composes(
    [
      { op: 'remove', path: '/list/3' },
      { op: 'add', path: '/list/3', value: 'x' },
      { op: 'remove', path: '/name' },
      { op: 'add', path: '/name', value: 'y' },
    ],
    [
      { op: 'replace', path: '/list/3', value: 'x' },
      { op: 'replace', path: '/name', value: 'y' },
    ],
  );
});

test('a member that was added and removed is removed, but its value is not sent', () => {
  composes(
    [
      { op: 'add', path: '/x', value: 'long' },
      { op: 'remove', path: '/x' },
    ],
    [
      { op: 'add', path: '/x', value: null },
      { op: 'remove', path: '/x' },
    ],
  );
});

test('replacing the whole document drops everything before', () => {
  composes(
    [
      { op: 'move', from: '/a', path: '/b' },
      { op: 'replace', path: '', value: { a: 1 } },
      { op: 'add', path: '/b', value: 2 },
    ],
    [{ op: 'replace', path: '', value: { a: 1, b: 2 } }],
  );
});

test('a thousand updates of one counter compose into one', () => {
  const patches = Array.from({ length: 1000 }, (_, i): Patch => {
    return [{ op: 'replace', path: '/n', value: i }];
  });
  assert.deepEqual(composePatches(patches), [{ op: 'replace', path: '/n', value: 999 }]);
});

test('tests are left out, and nothing composes to nothing', () => {
  assert.deepEqual(composePatches([]), []);
  assert.deepEqual(composePatches([[{ op: 'test', path: '/a', value: 1 }]]), []);
});

/** Holds the composition of `patch`, cut anywhere, against `patch` where that applies to `before`. */
function holdsOn(before: Value, patch: Patch): void {
  const expected = outcome(before, patch);
  if (expected === undefined) return;
  const cut = patch.length >> 1;
  const composed = composePatches([patch.slice(0, cut), patch.slice(cut)]);
  const actual = applyPatch(before, composed);
  checkTree(actual);
  assert.equal(canonicalJson(actual), canonicalJson(expected));
  assert.equal(hashText(actual), hashText(expected));
  assert.ok(composed.length <= patch.length, 'a composition has no more operations');
}

function outcome(before: Value, patch: Patch): Value | undefined {
  try {
    return applyPatch(before, patch);
  } catch {
    return undefined;
  }
}

type Plain = {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: Json;
};

function composes(given: readonly Plain[], expected: readonly Plain[]): void {
  const patches = given.map((operation) => parsePatch([operation] as unknown as Json));
  const plain = composePatches(patches).map((operation) => {
    return 'value' in operation ? { ...operation, value: toJson(operation.value) } : operation;
  });
  assert.deepEqual(plain, expected);
}
