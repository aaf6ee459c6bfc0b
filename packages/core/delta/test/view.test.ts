// The view of a document through pointers, held against the plainest definition of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyOperation } from '../src/apply.js';
import { fromJson, type Json, toJson } from '../src/json.js';
import { hashText } from '../src/measure.js';
import { escapeToken, parsePointer } from '../src/pointer.js';
import { getAt } from '../src/read.js';
import type { Value } from '../src/value.js';
import { filterOf, viewOf } from '../src/view.js';
import { ViewIndex } from '../src/view-index.js';
import { json, name, wideJson } from './arbitraries.js';
import { checkTree } from './check-tree.js';
import { choice, operationFor, pointersIn } from './patch-arbitraries.js';

/** What is at each pointer, put into objects one by one. */
function naiveView(document: Value, pointers: readonly string[]): Json {
  let view: Json = Object.create(null) as Json;
  for (const pointer of pointers) {
    const value = getAt(document, pointer);
    if (value === undefined) continue;
    const tokens = parsePointer(pointer);
    if (tokens.length === 0) return toJson(value);
    view ??= {};
    let place = view as Record<string, Json>;
    for (const token of tokens.slice(0, -1)) {
      place[token] ??= Object.create(null) as Json;
      place = place[token] as Record<string, Json>;
    }
    place[tokens.at(-1)!] = toJson(value);
  }
  return view;
}

/** None of `pointers` that is inside of another. */
function outermost(pointers: readonly string[]): string[] {
  return pointers.filter((it) => !pointers.some((other) => it.startsWith(`${other}/`)));
}

/** Pointers of which many lead somewhere in `document`, by numbers that were drawn. */
function pointersOf(document: Json, drawn: readonly Drawn[]): string[] {
  const there = pointersIn(document);
  return drawn.map(({ where, more }) => {
    const below = more.map((token) => `/${escapeToken(token)}`).join('');
    return there[where % there.length]! + below;
  });
}

interface Drawn {
  readonly where: number;
  readonly more: readonly string[];
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  where: fc.nat({ max: 1000 }),
  more: fc.oneof(fc.constant([]), fc.array(name, { maxLength: 2 })),
});
const someDrawn = fc.array(drawn, { minLength: 1, maxLength: 6 });

test('a view holds what is at its pointers, where they point, and nothing else', () => {
  fc.assert(
    fc.property(fc.oneof(json, wideJson), someDrawn, (document, choices) => {
      const root = fromJson(document);
      const pointers = pointersOf(document, choices);
      const filter = filterOf(pointers);
      const view = viewOf(root, filter);
      checkTree(view);
      assert.equal(hashText(view), hashText(fromJson(naiveView(root, outermost(pointers)))));
      for (const pointer of pointers) {
        assert.deepEqual(jsonAt(view, pointer), jsonAt(root, pointer), pointer);
      }
      assert.equal(hashText(viewOf(view, filter)), hashText(view), 'a view is its own view');
    }),
    { numRuns: 500 },
  );
});

test('a filter is the same for the same places, in whatever order and however often they are named', () => {
  fc.assert(
    fc.property(json, someDrawn, fc.nat(), (document, choices, n) => {
      const pointers = pointersOf(document, choices);
      const inside = `${pointers[n % pointers.length]}/x`;
      const again = filterOf([inside, ...pointers.toReversed(), pointers[0]!]);
      const filter = filterOf(pointers);
      assert.equal(again.text, filter.text);
      assert.deepEqual(new Set(filter.pointers), new Set(outermost(pointers)));
    }),
  );
});

const SMALL: readonly (readonly [Json, readonly string[], Json])[] = [
  [{ a: 1, b: 2 }, ['/a'], { a: 1 }],
  [{ a: { x: 1, y: 2 }, b: 2 }, ['/a/y', '/c'], { a: { y: 2 } }],
  [{ list: ['x', { k: 1, l: 2 }] }, ['/list/1/k', '/list/5'], { list: { 1: { k: 1 } } }],
  [{ list: [1, 2] }, ['/list'], { list: [1, 2] }],
  [{ list: [1, 2] }, ['/list/-', '/list/01', '/list/x'], {}],
  [[1, 2, 3], ['/2', '/0'], { 0: 1, 2: 3 }],
  [null, ['/a'], {}],
  [7, [''], 7],
  [{ a: null }, ['/a', '/a/b'], { a: null }],
  [{ 'a/b': { 'm~n': 1, o: 2 } }, ['/a~1b/m~0n'], { 'a/b': { 'm~n': 1 } }],
];

test('views are what one would write by hand', () => {
  for (const [document, pointers, view] of SMALL) {
    assert.deepEqual(toJson(viewOf(fromJson(document), filterOf(pointers))), view);
  }
});

test('a pointer that is none is refused', () => {
  assert.throws(() => filterOf(['/a', 'b']), { code: 'INVALID_ARGUMENT' });
});

test('whom a change touches is whose view it changes', () => {
  const changes = fc.array(choice, { minLength: 1, maxLength: 6 });
  const filters = fc.array(fc.array(drawn, { minLength: 1, maxLength: 4 }), { maxLength: 14 });
  fc.assert(
    fc.property(
      fc.oneof(json, wideJson),
      changes,
      filters,
      fc.nat(),
      (document, drawnChanges, drawnFilters, n) => {
        const index = new ViewIndex<number>();
        const all = drawnFilters.map((each) => filterOf(pointersOf(document, each)));
        for (const [at, filter] of all.entries()) index.add(filter, at);
        const gone = n % (all.length + 1);
        if (gone < all.length) index.delete(all[gone]!, gone);
        let before = fromJson(document);
        for (const each of drawnChanges) {
          const operation = operationFor(before, each);
          if (operation === undefined) continue;
          const after = applyOperation(before, operation);
          const expected = [...all.keys()].filter((at) => {
            const [was, is] = [viewOf(before, all[at]!), viewOf(after, all[at]!)];
            return at !== gone && hashText(was) !== hashText(is);
          });
          assert.deepEqual([...index.touched(before, after)].sort(), expected.sort());
          before = after;
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('an index of nobody is empty again', () => {
  const index = new ViewIndex<string>();
  const filter = filterOf(['/a/b', '/c']);
  index.add(filter, 'x');
  index.add(filter, 'y');
  index.delete(filter, 'x');
  const touched = index.touched(fromJson({ c: 1 }), fromJson({ c: 2 }));
  assert.deepEqual([...touched], ['y']);
  index.delete(filter, 'y');
  assert.equal(index.isEmpty, true);
});

test('among many filters those that a change does not touch cost nothing', () => {
  const players = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`p${at}`, at]));
  const index = new ViewIndex<number>();
  for (let at = 0; at < 20_000; at++) index.add(filterOf([`/players/p${at}`]), at);
  const before = fromJson({ players });
  const after = applyOperation(before, { op: 'replace', path: '/players/p77', value: 'x' });
  const start = process.hrtime.bigint();
  for (let round = 0; round < 1000; round++) {
    assert.deepEqual([...index.touched(before, after)], [77]);
  }
  const took = process.hrtime.bigint() - start;
  assert.ok(took < 500_000_000n, `took ${took} ns`);
});

function jsonAt(value: Value, pointer: string): Json | undefined {
  const found = getAt(value, pointer);
  return found === undefined ? undefined : toJson(found);
}
