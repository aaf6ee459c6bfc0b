import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, DeltabaseError, type ErrorCode } from '@deltabase/base';
import fc from 'fast-check';
import { applyPatch } from '../src/apply.js';
import { canonicalJson } from '../src/canonical.js';
import { Draft, type DraftLimits } from '../src/draft.js';
import { fromJson, type Json } from '../src/json.js';
import { bytesOf, hashText } from '../src/measure.js';
import { encodePatch, type Operation } from '../src/operation.js';
import { parsePatch } from '../src/parse-patch.js';
import { json } from './arbitraries.js';
import { choice, operationFor } from './patch-arbitraries.js';

test('a draft is its root with the operations so far, and their encoding', () => {
  fc.assert(
    fc.property(json, fc.array(choice, { maxLength: 8 }), (document, choices) => {
      const root = fromJson(document);
      const draft = new Draft(root, DEFAULT_LIMITS);
      const emitted: Operation[] = [];
      for (const each of choices) {
        const operation = operationFor(draft.root, each);
        if (operation === undefined) continue;
        draft.emit(operation);
        emitted.push(operation);
        assert.deepEqual(draft.operations, emitted);
        assert.equal(draft.patchLength, encodePatch(emitted).length);
        if (each.where % 2 === 0) assert.deepEqual(draft.patchBytes(), encodePatch(emitted));
      }
      assert.deepEqual(draft.patchBytes(), encodePatch(emitted));
      assert.equal(draft.patchBytes(), draft.patchBytes(), 'encoded once');
      const replayed = applyPatch(root, parsePatch(draft.patchBytes()));
      assert.equal(hashText(replayed), hashText(draft.root), 'StateIsFold');
    }),
    { numRuns: 150 },
  );
});

test('reads see what was emitted before them', () => {
  const draft = new Draft(fromJson({ n: 1, o: { b: 1, a: 2 } }), DEFAULT_LIMITS);
  assert.equal(draft.get('/n'), 1);
  draft.emit({ op: 'replace', path: '/n', value: 2 });
  draft.emit({ op: 'add', path: '/o/c', value: 3 });
  assert.equal(draft.get('/n'), 2);
  assert.equal(draft.get('/x'), undefined);
  assert.deepEqual(draft.keysAfter('/o', undefined, 10), ['a', 'b', 'c']);
  assert.deepEqual(draft.keysAfter('/o', 'a', 1), ['b']);
  assert.equal(draft.keysAfter('/n', undefined, 10), undefined);
  assert.equal(draft.keysAfter('/x', undefined, 10), undefined);
  assert.throws(() => draft.get('n'), { code: 'INVALID_ARGUMENT' });
});

test('an empty draft has an empty patch', () => {
  const draft = new Draft(null, DEFAULT_LIMITS);
  assert.equal(Buffer.from(draft.patchBytes()).toString(), '[]');
  assert.equal(draft.patchLength, 2);
});

test('an operation that does not fit changes nothing and says which one it was', () => {
  const draft = draftOf({ a: 1 }, {});
  draft.emit({ op: 'add', path: '/b', value: 2 });
  refuses(draft, { op: 'remove', path: '/c' }, 'BAD_PATCH', /operation 1: nothing is at "\/c"/);
  draft.emit({ op: 'remove', path: '/a' });
  assert.equal(canonicalJson(draft.root), '{"b":2}');
  assert.equal(draft.operations.length, 2);
});

test('a draft takes as many operations as its limit says', () => {
  const draft = draftOf({ n: 0 }, { operationsPerDeltaMax: 3 });
  for (let i = 0; i < 3; i++) draft.emit({ op: 'replace', path: '/n', value: i });
  refuses(
    draft,
    { op: 'replace', path: '/n', value: 3 },
    'OUTPUT_TOO_LARGE',
    /at most 3 operations/,
  );
});

test('a patch has as many bytes as its limit says, to the byte', () => {
  const operation: Operation = { op: 'add', path: '/a', value: 'xxxx' };
  const [one, two] = [encodePatch([operation]).length, encodePatch([operation, operation]).length];
  for (const [patchBytesMax, fits] of [
    [one - 1, 0],
    [one, 1],
    [two - 1, 1],
    [two, 2],
  ] as const) {
    const draft = draftOf({}, { patchBytesMax });
    for (let i = 0; i < fits; i++) draft.emit(operation);
    assert.ok(draft.patchBytes().length <= patchBytesMax || fits === 0);
    refuses(draft, operation, 'OUTPUT_TOO_LARGE', new RegExp(`at most ${patchBytesMax} bytes`));
  }
});

test('a document has as many bytes as its limit says, to the byte', () => {
  const full = bytesOf(fromJson({ a: 'xxx' }));
  const draft = draftOf({}, { documentBytesMax: full });
  draft.emit({ op: 'add', path: '/a', value: 'xxx' });
  refuses(draft, { op: 'add', path: '/b', value: 1 }, 'DOCUMENT_TOO_LARGE', /at most 11 bytes/);
  refuses(draft, { op: 'replace', path: '/a', value: 'xxxx' }, 'DOCUMENT_TOO_LARGE', /at most/);
  refuses(draft, { op: 'copy', from: '/a', path: '/b' }, 'DOCUMENT_TOO_LARGE', /at most/);
  draft.emit({ op: 'replace', path: '/a', value: 'yyy' });
  draft.emit({ op: 'move', from: '/a', path: '/b' });
});

test('a document beyond its limit may shrink but not grow', () => {
  const draft = draftOf({ a: 'xxx', b: 'yyy' }, { documentBytesMax: 5 });
  refuses(draft, { op: 'add', path: '/c', value: 1 }, 'DOCUMENT_TOO_LARGE', /at most 5 bytes/);
  draft.emit({ op: 'replace', path: '/a', value: 'zz' });
  draft.emit({ op: 'remove', path: '/b' });
});

test('a document nests as deep as its limit says, however it gets there', () => {
  const draft = draftOf({ a: { b: [] } }, { jsonDepthMax: 3 });
  refuses(
    draft,
    { op: 'add', path: '/a/b/0', value: fromJson([]) },
    'BAD_PATCH',
    /at most 3 containers/,
  );
  refuses(draft, { op: 'copy', from: '/a', path: '/a/c' }, 'BAD_PATCH', /at most 3 containers/);
  draft.emit({ op: 'add', path: '/c', value: fromJson([[]]) });
  refuses(draft, { op: 'move', from: '/c', path: '/a/c' }, 'BAD_PATCH', /at most 3 containers/);
  const deeper = draftOf({ a: { b: [] } }, { jsonDepthMax: 2 });
  deeper.emit({ op: 'add', path: '/a/c', value: 1 });
});

test('copying something into itself again and again meets a limit', () => {
  const draft = draftOf({ a: [1] }, {});
  assert.throws(() => {
    for (;;) draft.emit({ op: 'copy', from: '/a', path: '/a/-' });
  }, DeltabaseError);
  const wide = draftOf({ a: {}, b: [['x'.repeat(1000)]] }, {});
  assert.throws(() => {
    for (;;) wide.emit({ op: 'copy', from: '/b/0', path: '/b/0/-' });
  }, DeltabaseError);
});

test('pointers have as many bytes of UTF-8 as their limit says', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['/aaaa', 5],
    ['/\u00e9\u00e9', 5],
    ['/\u20ac', 4],
    ['/\u{1f600}', 5],
  ];
  for (const [path, bytes] of cases) {
    draftOf({}, { pointerBytesMax: bytes }).emit({ op: 'add', path, value: 1 });
    const draft = draftOf({ x: 1 }, { pointerBytesMax: bytes - 1 });
    refuses(draft, { op: 'add', path, value: 1 }, 'BAD_PATCH', /a pointer has at most/);
    refuses(draft, { op: 'copy', from: path, path: '/y' }, 'BAD_PATCH', /a pointer has at most/);
  }
});

test('the root a draft began with stays as it was', () => {
  const root = fromJson({ a: [1] });
  const draft = new Draft(root, DEFAULT_LIMITS);
  draft.emit({ op: 'add', path: '/a/-', value: 2 });
  assert.equal(canonicalJson(root), '{"a":[1]}');
});

test('a huge string costs its copies nothing', () => {
  const draft = draftOf({ s: 'x'.repeat(1_000_000) }, { operationsPerDeltaMax: 20_000 });
  const start = process.hrtime.bigint();
  for (let i = 0; i < 10_000; i++) draft.emit({ op: 'copy', from: '/s', path: '/t' });
  assert.ok(
    process.hrtime.bigint() - start < 1_000_000_000n,
    'ten thousand copies within a second',
  );
});

function draftOf(document: Json, limits: Partial<DraftLimits>): Draft {
  return new Draft(fromJson(document), { ...DEFAULT_LIMITS, ...limits });
}

/** Holds that `draft` refuses `operation` and stays as it is. */
function refuses(draft: Draft, operation: Operation, code: ErrorCode, message: RegExp): void {
  const { root, operations, patchLength } = draft;
  const { length } = operations;
  assert.throws(
    () => draft.emit(operation),
    (thrown: unknown) =>
      thrown instanceof DeltabaseError && thrown.code === code && message.test(thrown.message),
  );
  assert.equal(draft.root, root);
  assert.equal(draft.operations.length, length);
  assert.equal(draft.patchLength, patchLength);
}
