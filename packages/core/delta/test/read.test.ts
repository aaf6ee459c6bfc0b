import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import fc from 'fast-check';
import { fromJson, type Json, toJson } from '../src/json.js';
import { objectRemove, objectSet } from '../src/object-tree.js';
import { elementOf, elementsOf, getAt, keysAfter, memberOf, membersOf } from '../src/read.js';
import { type ArrayValue, count, type ObjectValue } from '../src/value.js';
import { json, name, wideJson } from './arbitraries.js';
import { pointersIn } from './patch-arbitraries.js';

test('everything in a document is found at its pointer', () => {
  fc.assert(
    fc.property(json, (document) => {
      const value = fromJson(document);
      for (const pointer of pointersIn(document)) {
        assert.deepEqual(toJson(getAt(value, pointer)!), naive(toJson(value), pointer));
      }
    }),
    { numRuns: 120 },
  );
});

test('where there is nothing, nothing is found', () => {
  const value = fromJson({ a: [1, 2, { b: null }], s: 'text', long: 'x'.repeat(100) });
  const nowhere = [
    '/x',
    '/a/3',
    '/a/-',
    '/a/01',
    '/a/-1',
    '/a/x',
    '/s/0',
    '/s/length',
    '/long/0',
    '/a/2/b/c',
  ];
  for (const pointer of nowhere) assert.equal(getAt(value, pointer), undefined, pointer);
  for (const pointer of ['/__proto__', '/constructor', '/a/length', '/toString', '/a/__proto__']) {
    assert.equal(getAt(value, pointer), undefined, `${pointer} is not inherited`);
  }
  assert.equal(getAt(value, '/a/2/b'), null);
  assert.throws(() => getAt(value, 'a'), DeltabaseError);
});

test('names are listed from any position, in order and up to a maximum', () => {
  const names = fc.uniqueArray(
    fc.oneof(
      name,
      fc.nat({ max: 300 }).map((i) => `k${i}`),
    ),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(
      names,
      fc.option(name, { nil: undefined }),
      fc.nat({ max: 50 }),
      (keys, after, max) => {
        const object = fromJson(membersFrom(keys)) as ObjectValue;
        for (const start of [after, keys[0], keys.at(-1)]) {
          const expected = keys.toSorted().filter((key) => start === undefined || key > start);
          assert.deepEqual(keysAfter(object, start, max), expected.slice(0, max));
          assert.deepEqual(
            [...membersOf(object, start)].map(([key]) => key),
            expected,
          );
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('names are listed in pages without a gap from an object that has lost most of its members', () => {
  let object = fromJson(
    membersFrom(Array.from({ length: 3000 }, (_, i) => `k${i}`)),
  ) as ObjectValue;
  for (let i = 0; i < 3000; i++) if (i % 10 !== 0) object = objectRemove(object, `k${i}`);
  object = objectSet(object, '', 1);
  const pages: string[] = [];
  for (
    let page = keysAfter(object, undefined, 7);
    page.length > 0;
    page = keysAfter(object, page.at(-1), 7)
  ) {
    pages.push(...page);
  }
  const expected = Array.from({ length: 300 }, (_, i) => `k${i * 10}`)
    .concat('')
    .sort();
  assert.deepEqual(pages, expected);
});

test('elements are listed from any position', () => {
  fc.assert(
    fc.property(wideJson, fc.nat({ max: 250 }), (value, start) => {
      const elements = Array.isArray(value) ? (value as readonly Json[]) : [value];
      const array = fromJson(elements) as ArrayValue;
      const listed = [...elementsOf(array, start)].map(toJson);
      assert.deepEqual(listed, toJson(fromJson(elements.slice(start))));
      assert.equal(count(array), elements.length);
    }),
  );
});

test('members and elements that do not exist are undefined', () => {
  const array = fromJson([null]) as ArrayValue;
  assert.equal(elementOf(array, 0), null);
  for (const index of [-1, 1, 0.5, Number.NaN]) assert.equal(elementOf(array, index), undefined);
  assert.equal(memberOf(fromJson({ a: null }) as ObjectValue, 'a'), null);
  assert.equal(memberOf(fromJson({ a: null }) as ObjectValue, 'b'), undefined);
});

test('a long string is read back as it was written', () => {
  const long = 'x'.repeat(1000);
  const value = fromJson({ a: [long] });
  assert.equal(getAt(value, '/a/0'), long);
  assert.deepEqual([...elementsOf(getAt(value, '/a') as ArrayValue)], [long]);
});

function membersFrom(keys: readonly string[]): Json {
  const object: Record<string, Json> = {};
  for (const key of keys) {
    Object.defineProperty(object, key, {
      value: 1,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return object;
}

function naive(document: Json, pointer: string): Json {
  const tokens = pointer === '' ? [] : pointer.slice(1).split('/');
  return tokens.reduce((value, token) => {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    return (value as Record<string, Json>)[key]!;
  }, document);
}
