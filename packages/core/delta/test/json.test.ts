import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import fc from 'fast-check';
import { canonicalJson } from '../src/canonical.js';
import { fromJson, type Json, type JsonProblem, toJson } from '../src/json.js';
import { type ArrayValue, kind, type ObjectValue } from '../src/value.js';
import { text, wideJson } from './arbitraries.js';
import { checkTree } from './check-tree.js';

test('plain JavaScript becomes a value and comes back', () => {
  fc.assert(
    fc.property(wideJson, (json) => {
      const value = fromJson(json);
      checkTree(value);
      assert.deepEqual(toJson(value), JSON.parse(JSON.stringify(json)));
    }),
    { numRuns: 120 },
  );
});

test('names that prototypes have are members like any other', () => {
  const json = JSON.parse(
    '{"__proto__":{"x":1},"constructor":{"prototype":2},"toString":3}',
  ) as Json;
  const value = fromJson(json);
  const back = toJson(value) as Record<string, unknown>;
  assert.deepEqual(Object.keys(back).sort(), ['__proto__', 'constructor', 'toString']);
  assert.equal(Object.getPrototypeOf(back), Object.prototype);
  assert.equal((back as { x?: unknown }).x, undefined, 'nothing was inherited');
  assert.equal(({} as { x?: unknown }).x, undefined, 'no prototype was changed');
  assert.equal(
    canonicalJson(value),
    '{"__proto__":{"x":1},"constructor":{"prototype":2},"toString":3}',
  );
});

test('an object without a prototype is read like any other', () => {
  const json = Object.assign(Object.create(null) as Record<string, Json>, { a: 1 });
  assert.equal(canonicalJson(fromJson(json)), '{"a":1}');
});

test('what JSON cannot say is refused, wherever it is', () => {
  const bad: readonly (readonly [unknown, JsonProblem])[] = [
    [undefined, 'type'],
    [() => 1, 'type'],
    [Symbol('x'), 'type'],
    [1n, 'type'],
    [new Date(0), 'type'],
    [new Map(), 'type'],
    [new Uint8Array(1), 'type'],
    [Number.NaN, 'number'],
    [Number.NEGATIVE_INFINITY, 'number'],
    ['\ud800', 'surrogate'],
    [`${'x'.repeat(100)}\udfff`, 'surrogate'],
    [{ '\udc00': 1 }, 'surrogate'],
    [Array(1), 'type'],
  ];
  for (const [json, problem] of bad) {
    for (const place of [json, [json], { a: json }, [1, { b: [json] }], Array(40).fill(json)]) {
      assert.throws(() => fromJson(place as Json), problemIs(problem));
    }
  }
});

test('nesting is limited, even where it is endless', () => {
  assert.doesNotThrow(() => fromJson([[[]]], { depthMax: 3 }));
  assert.throws(() => fromJson([[[]]], { depthMax: 2 }), problemIs('depth'));
  assert.doesNotThrow(() => fromJson(1, { depthMax: 0 }));
  const endless: Json[] = [];
  endless.push(endless);
  assert.throws(() => fromJson(endless), problemIs('depth'));
});

test('zero loses its sign, which canonical JSON cannot say', () => {
  assert.ok(Object.is(toJson(fromJson(-0)), 0));
  assert.ok(Object.is((toJson(fromJson([-0])) as number[])[0], 0));
});

test('the value is independent of what it was made from', () => {
  const json = { list: [1, 2, { a: 1 }] };
  const value = fromJson(json);
  json.list.push(3);
  (json.list[2] as { a: number }).a = 2;
  assert.equal(canonicalJson(value), '{"list":[1,2,{"a":1}]}');
  const plain = toJson(value) as { list: unknown[] };
  plain.list.pop();
  assert.equal(canonicalJson(value), '{"list":[1,2,{"a":1}]}');
});

test('the kind of a value is that of its JSON', () => {
  const kinds = [null, true, 1, 's', {}, []].map((json) => kind(fromJson(json as Json)));
  assert.deepEqual(kinds, ['null', 'boolean', 'number', 'string', 'object', 'array']);
});

test('strings of every length survive in containers', () => {
  fc.assert(
    fc.property(fc.array(text), (strings) => {
      assert.deepEqual(toJson(fromJson(strings)), strings);
    }),
  );
});

function problemIs(problem: JsonProblem): (thrown: unknown) => boolean {
  return (thrown) =>
    thrown instanceof DeltabaseError &&
    thrown.code === 'INVALID_ARGUMENT' &&
    thrown.details['problem'] === problem;
}

test('objects alike share their names, and others do not', () => {
  const alike = fromJson([
    { b: 1, a: 2 },
    { a: 3, b: 4 },
    { a: 5, c: 6 },
    { a: 7, b: 8 },
  ]) as ArrayValue;
  const names = alike.items.map((item) => (item as ObjectValue).keys);
  assert.equal(names[0], names[1]);
  assert.deepEqual(names, [
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'c'],
    ['a', 'b'],
  ]);
});
