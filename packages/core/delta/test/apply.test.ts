import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import fc from 'fast-check';
import { applyOperation, applyPatch } from '../src/apply.js';
import { canonicalJson } from '../src/canonical.js';
import { fromJson, type Json } from '../src/json.js';
import { hashText } from '../src/measure.js';
import { parsePatch } from '../src/parse-patch.js';
import { isArray, isObject, type Slot, type Value } from '../src/value.js';
import { json } from './arbitraries.js';
import { checkTree } from './check-tree.js';
import { choice, patchFor } from './patch-arbitraries.js';

test('applying patches keeps every invariant of the trees', () => {
  fc.assert(
    fc.property(json, fc.array(choice, { maxLength: 8 }), (document, choices) => {
      const before = fromJson(document);
      checkTree(applyPatch(before, patchFor(before, choices)));
    }),
    { numRuns: 150 },
  );
});

test('a patch that fails leaves nothing behind', () => {
  const before = fromJson({ a: [1, 2, 3], b: { c: 'x' } });
  const hash = hashText(before);
  const patch = parsePatch([
    { op: 'add', path: '/a/0', value: 0 },
    { op: 'remove', path: '/b/c' },
    { op: 'move', from: '/a', path: '/z' },
    { op: 'test', path: '/z/0', value: 1 },
  ]);
  assert.throws(() => applyPatch(before, patch), /operation 3/);
  assert.equal(canonicalJson(before), '{"a":[1,2,3],"b":{"c":"x"}}');
  assert.equal(hashText(before), hash);
  checkTree(before);
});

const DOCUMENT = fromJson({ a: [1, 2], o: { x: { y: 1 } }, s: 'text', n: null });

const REFUSED: readonly (readonly [Json, RegExp])[] = [
  [{ op: 'add', path: '/x/y', value: 1 }, /nothing is at "\/x\/y"; add what is missing first/],
  [{ op: 'add', path: '/a/3', value: 1 }, /nothing is at "\/a\/3"/],
  [{ op: 'add', path: '/a/x', value: 1 }, /in an array: name a position, or "-" to append/],
  [{ op: 'add', path: '/a/01', value: 1 }, /in an array/],
  [{ op: 'add', path: '/a/-1', value: 1 }, /in an array/],
  [{ op: 'add', path: '/a/-/0', value: 1 }, /nothing is at/],
  [{ op: 'add', path: '/s/x', value: 1 }, /"\/s\/x" is inside a string; replace that first/],
  [{ op: 'add', path: '/n/x', value: 1 }, /inside a null/],
  [{ op: 'add', path: '/a/0/0', value: 1 }, /inside a number/],
  [{ op: 'replace', path: '/x', value: 1 }, /nothing is at "\/x"/],
  [{ op: 'replace', path: '/a/-', value: 1 }, /nothing is at "\/a\/-"/],
  [{ op: 'replace', path: '/a/2', value: 1 }, /nothing is at/],
  [{ op: 'remove', path: '/x' }, /nothing is at/],
  [{ op: 'remove', path: '/a/2' }, /nothing is at/],
  [{ op: 'remove', path: '/a/-' }, /nothing is at/],
  [{ op: 'remove', path: '' }, /cannot be removed; replace it with null/],
  [{ op: 'test', path: '/x', value: null }, /nothing is at/],
  [{ op: 'test', path: '/a/0', value: '1' }, /the value at "\/a\/0" is another/],
  [{ op: 'test', path: '/a', value: [2, 1] }, /is another/],
  [{ op: 'move', from: '/o', path: '/o/x' }, /"\/o" cannot be moved into itself; copy it instead/],
  [{ op: 'move', from: '/o', path: '/o/x/y/z' }, /cannot be moved into itself/],
  [{ op: 'move', from: '', path: '/q' }, /cannot be moved into itself/],
  [{ op: 'move', from: '/x', path: '/x' }, /nothing is at "\/x"/],
  [{ op: 'move', from: '/a/0', path: '/a/2' }, /nothing is at "\/a\/2"/],
  [{ op: 'copy', from: '/x', path: '/y' }, /nothing is at/],
  [{ op: 'copy', from: '/a/-', path: '/y' }, /nothing is at/],
];

test('an operation that does not fit is refused with its index and what to do', () => {
  for (const [operation, message] of REFUSED) {
    const patch = parsePatch([{ op: 'test', path: '/s', value: 'text' }, operation]);
    assert.throws(
      () => applyPatch(DOCUMENT, patch),
      (thrown: unknown) =>
        thrown instanceof DeltabaseError &&
        thrown.code === 'BAD_PATCH' &&
        thrown.details['operation'] === 1 &&
        message.test(thrown.message),
      JSON.stringify(operation),
    );
  }
});

const APPLIED: readonly (readonly [Json, string])[] = [
  [{ op: 'add', path: '', value: 1 }, '1'],
  [{ op: 'replace', path: '', value: [] }, '[]'],
  [{ op: 'move', from: '', path: '' }, canonicalJson(DOCUMENT)],
  [{ op: 'copy', from: '', path: '' }, canonicalJson(DOCUMENT)],
  [{ op: 'copy', from: '/o/x', path: '' }, '{"y":1}'],
  [{ op: 'move', from: '/o/x', path: '' }, '{"y":1}'],
  [{ op: 'move', from: '/o/x', path: '/o' }, '{"a":[1,2],"n":null,"o":{"y":1},"s":"text"}'],
  [{ op: 'move', from: '/a/0', path: '/a/1' }, '{"a":[2,1],"n":null,"o":{"x":{"y":1}},"s":"text"}'],
  [{ op: 'move', from: '/a/0', path: '/a/-' }, '{"a":[2,1],"n":null,"o":{"x":{"y":1}},"s":"text"}'],
  [
    { op: 'copy', from: '/o', path: '/o/x/z' },
    '{"a":[1,2],"n":null,"o":{"x":{"y":1,"z":{"x":{"y":1}}}},"s":"text"}',
  ],
  [
    { op: 'test', path: '', value: { s: 'text', n: null, o: { x: { y: 1.0 } }, a: [1, 2] } },
    canonicalJson(DOCUMENT),
  ],
];

test('operations on the whole document and within one container do what RFC 6902 §4 says', () => {
  for (const [operation, expected] of APPLIED) {
    assert.equal(canonicalJson(applyPatch(DOCUMENT, parsePatch([operation]))), expected);
  }
});

test('numbers are tested by value', () => {
  for (const [text, tested] of [
    ['1', '1.0'],
    ['100', '1e2'],
    ['0', '-0'],
    ['-0.0', '0'],
  ] as const) {
    const root = applyPatch(null, parsePatch(`[{"op":"add","path":"","value":{"n":${text}}}]`));
    assert.doesNotThrow(() =>
      applyPatch(root, parsePatch(`[{"op":"test","path":"/n","value":${tested}}]`)),
    );
  }
});

test('names that prototypes have are members like any other', () => {
  const before = fromJson({ a: 1 });
  const patch = parsePatch(
    '[{"op":"add","path":"/__proto__","value":{"x":1}},{"op":"add","path":"/constructor","value":{}},{"op":"add","path":"/constructor/prototype","value":2},{"op":"add","path":"/__proto__/y","value":3}]',
  );
  const after = applyPatch(before, patch);
  assert.equal(
    canonicalJson(after),
    '{"__proto__":{"x":1,"y":3},"a":1,"constructor":{"prototype":2}}',
  );
  assert.throws(
    () => applyPatch(before, parsePatch('[{"op":"remove","path":"/__proto__"}]')),
    DeltabaseError,
  );
  assert.throws(
    () => applyPatch(before, parsePatch('[{"op":"add","path":"/__proto__/x","value":1}]')),
    DeltabaseError,
  );
  assert.equal(({} as { x?: unknown }).x, undefined);
});

test('a change makes only the nodes on its path anew (CostIsTheDelta)', () => {
  const wide = fromJson({
    object: Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`k${i}`, [i]])),
    array: Array.from({ length: 40_000 }, (_, i) => ({ i })),
  });
  const known = new Set<unknown>(nodesOf(wide));
  for (const operation of [
    { op: 'replace', path: '/object/k20000/0', value: -1 },
    { op: 'add', path: '/object/new', value: 1 },
    { op: 'remove', path: '/object/k777' },
    { op: 'add', path: '/array/20000', value: 1 },
    { op: 'remove', path: '/array/3' },
    { op: 'replace', path: '/array/39999/i', value: 1 },
    { op: 'copy', from: '/object', path: '/array/7' },
    { op: 'move', from: '/object', path: '/array/0/moved' },
  ]) {
    const after = applyOperation(wide, parsePatch([operation])[0]!);
    const made = nodesOf(after).filter((node) => !known.has(node));
    assert.ok(made.length <= 12, `${JSON.stringify(operation)} made ${made.length} nodes`);
  }
});

/** All nodes of `value`, inner ones as well; shared ones once. */
function nodesOf(value: Value): unknown[] {
  const nodes = new Set<unknown>();
  const visit = (slot: Slot): void => {
    if (!isObject(slot) && !isArray(slot)) return;
    if (nodes.has(slot)) return;
    nodes.add(slot);
    slot.items.forEach(visit);
  };
  visit(value);
  return [...nodes];
}
