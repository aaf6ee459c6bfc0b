import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../src/canonical.js';
import { fromJson, type Json } from '../src/json.js';
import { hashText } from '../src/measure.js';
import { PieceBuilder } from '../src/piece-builder.js';
import { encodePiece, parsePiece, pieces } from '../src/pieces.js';
import { wideJson } from './arbitraries.js';
import { checkTree } from './check-tree.js';

test('all pieces in order make the value again', () => {
  fc.assert(
    fc.property(wideJson, fc.integer({ min: 1, max: 400 }), (json, bytesMax) => {
      const value = fromJson(json);
      const builder = new PieceBuilder();
      for (const piece of pieces(value, bytesMax)) builder.add(parsePiece(encodePiece(piece)));
      const built = builder.finish();
      checkTree(built);
      assert.equal(canonicalJson(built), canonicalJson(value));
      assert.equal(hashText(built), hashText(value));
    }),
    { numRuns: 150 },
  );
});

test('a big document is built from its pieces in linear time', () => {
  const time = (size: number): number => {
    const value = fromJson({
      o: Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, { i, a: [i] }])),
    });
    const start = process.hrtime.bigint();
    const builder = new PieceBuilder();
    for (const piece of pieces(value, 2000)) builder.add(piece);
    assert.equal(hashText(builder.finish()), hashText(value));
    return Number(process.hrtime.bigint() - start);
  };
  // The least of some: what else the machine does only adds to it.
  const least = (size: number): number => Math.min(time(size), time(size), time(size), time(size));
  const [small, large] = [least(5000), least(40_000)];
  assert.ok(large < small * 8 * 4, `${small} ns for 5,000 members, ${large} ns for 40,000`);
});

const MISPLACED: readonly (readonly (readonly [string, Json])[])[] = [
  [],
  [['/a', {}]],
  [
    ['', 1],
    ['', 2],
  ],
  [
    ['', 1],
    ['/a', {}],
  ],
  [
    ['', {}],
    ['', []],
  ],
  [
    ['', {}],
    ['/a', 1],
  ],
  [
    ['', {}],
    ['/a/b', {}],
  ],
  [
    ['', { b: 1 }],
    ['', { a: 1 }],
  ],
  [
    ['', { b: 1 }],
    ['', { b: 2 }],
  ],
  [
    ['', {}],
    ['/b', {}],
    ['', { a: 1 }],
  ],
  [
    ['', {}],
    ['/b', {}],
    ['/a', {}],
    ['', { c: 1 }],
  ],
  [
    ['', {}],
    ['/b', {}],
    ['', { c: 1 }],
    ['/b', {}],
    ['', { d: 1 }],
  ],
  [
    ['', [1]],
    ['/0', []],
  ],
  [
    ['', [1]],
    ['/2', []],
  ],
  [
    ['', [1]],
    ['/-', []],
  ],
  [
    ['', [1]],
    ['/01', []],
  ],
  [
    ['', [1]],
    ['/1', []],
    ['/1', {}],
  ],
  [
    ['', {}],
    ['a', {}],
  ],
  [
    ['', {}],
    ['/~', {}],
  ],
];

test('pieces that do not follow each other are refused', () => {
  for (const given of MISPLACED) {
    const build = (): unknown => {
      const builder = new PieceBuilder();
      for (const [pointer, json] of given) builder.add([pointer, fromJson(json)]);
      return builder.finish();
    };
    assert.throws(build, { code: 'INVALID_ARGUMENT' }, JSON.stringify(given));
  }
});

test('pieces that nest too deep are refused before they are built', () => {
  const builder = new PieceBuilder({ depthMax: 3 });
  builder.add(['', fromJson([])]);
  builder.add(['/0', fromJson([])]);
  assert.throws(() => builder.add(['/0/0', fromJson([[]])]), { code: 'INVALID_ARGUMENT' });
  const other = new PieceBuilder({ depthMax: 3 });
  other.add(['', fromJson([])]);
  other.add(['/0', fromJson([])]);
  other.add(['/0/0', fromJson([])]);
  assert.throws(() => other.add(['/0/0/0', fromJson([])]), { code: 'INVALID_ARGUMENT' });
});
