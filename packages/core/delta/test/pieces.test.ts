import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyPatch } from '../src/apply.js';
import { canonicalJson } from '../src/canonical.js';
import { fromJson, type Json } from '../src/json.js';
import { bytesOf, hashText } from '../src/measure.js';
import { PieceBuilder } from '../src/piece-builder.js';
import { encodePiece, type Piece, parsePiece, pieces } from '../src/pieces.js';
import { parsePointer } from '../src/pointer.js';
import { isArray, isObject, type Value } from '../src/value.js';
import { wideJson } from './arbitraries.js';

test('pieces are within their size unless one scalar, name or pointer is not', () => {
  fc.assert(
    fc.property(wideJson, fc.integer({ min: 1, max: 400 }), (json, bytesMax) => {
      for (const piece of pieces(fromJson(json), bytesMax)) {
        const bytes = encodePiece(piece);
        if (bytes.length <= bytesMax) continue;
        const [, value] = piece;
        const parts = isObject(value) || isArray(value) ? value.count : 0;
        assert.ok(parts <= 1, `${bytes.length} bytes, ${parts} parts: ${Buffer.from(bytes)}`);
      }
    }),
    { numRuns: 120 },
  );
});

test('pieces are about as big as they may be', () => {
  const value = fromJson(Array.from({ length: 20_000 }, (_, i) => ({ id: i, name: `name ${i}` })));
  const sizes = [...pieces(value, 4096)].map((piece) => encodePiece(piece).length);
  assert.ok(sizes.every((size) => size <= 4096));
  assert.ok(sizes.slice(0, -1).every((size) => size > 4000));
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) < bytesOf(value) * 1.01);
});

test('pieces of a deep document name where they belong', () => {
  const json: Json = {
    a: { b: [{ c: 'xxxxxxxxxxxxxxxxxxxx' }, 2], d: 1 },
    'e/f~': [1, 2, 3],
    g: {},
  };
  const cut = [...pieces(fromJson(json), 24)].map((piece) =>
    Buffer.from(encodePiece(piece)).toString(),
  );
  assert.deepEqual(cut, [
    '["",{}]',
    '["/a",{}]',
    '["/a/b",[]]',
    '["/a/b/0",{"c":"xxxxxxxxxxxxxxxxxxxx"}]',
    '["/a/b",[2]]',
    '["/a",{"d":1}]',
    '["",{"e/f~":[1,2,3]}]',
    '["",{"g":{}}]',
  ]);
});

test('pieces count the elements of leaves that they take whole', () => {
  const elements: Json[] = Array.from({ length: 100 }, (_, i) => i);
  const json: Json = [...elements, { large: 'x'.repeat(600), list: elements }];
  const cut = [...pieces(fromJson(json), 500)];
  assert.ok(cut.some(([pointer]) => pointer === '/100'));
  const builder = new PieceBuilder();
  for (const piece of cut) builder.add(piece);
  assert.equal(canonicalJson(builder.finish()), canonicalJson(fromJson(json)));
});

test('a scalar is one piece', () => {
  for (const json of [null, true, 1, 'text', 'x'.repeat(1000)]) {
    const all = [...pieces(fromJson(json), 10)];
    assert.deepEqual(all, [['', json]]);
  }
  assert.deepEqual([...pieces(fromJson([]), 10)].length, 1);
});

test('pieces are cut from one state while the document changes', () => {
  const before = fromJson({ list: Array.from({ length: 1000 }, (_, i) => i) });
  const builder = new PieceBuilder();
  let document: Value = before;
  for (const piece of pieces(before, 100)) {
    document = applyPatch(document, [{ op: 'remove', path: '/list/0' }]);
    builder.add(piece);
  }
  assert.equal(hashText(builder.finish()), hashText(before));
  assert.notEqual(hashText(document), hashText(before));
});

test('encoded pieces are parsed back', () => {
  const piece: Piece = ['/a~1b/0', fromJson({ x: [1, 'long'.repeat(30)] })];
  const [pointer, value] = parsePiece(encodePiece(piece));
  assert.equal(pointer, piece[0]);
  assert.equal(canonicalJson(value), canonicalJson(piece[1]));
});

test('what is no piece is refused', () => {
  for (const text of [
    '',
    '{}',
    '[]',
    '["/a"]',
    '[1,{}]',
    '["a",{}]',
    '["/~",{}]',
    '["",1,2]',
    '["",{"a":1,"a":2}]',
  ]) {
    assert.throws(() => parsePiece(Buffer.from(text)), { code: 'INVALID_ARGUMENT' }, text);
  }
  const deep = `["",${'['.repeat(5)}${']'.repeat(5)}]`;
  assert.doesNotThrow(() => parsePiece(Buffer.from(deep), { depthMax: 5 }));
  assert.throws(() => parsePiece(Buffer.from(deep), { depthMax: 4 }), { code: 'INVALID_ARGUMENT' });
});

test('every pointer of a piece is well formed', () => {
  fc.assert(
    fc.property(wideJson, (json) => {
      for (const [pointer] of pieces(fromJson(json), 40)) parsePointer(pointer);
    }),
  );
});
