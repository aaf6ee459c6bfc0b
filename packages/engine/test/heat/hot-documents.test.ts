import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HotDocuments } from '../../src/heat/hot-documents.js';

const OPTIONS = { hotFrom: 100, perCopy: 400, coolMs: 5000, documentsMax: 2 };

/** Heats by key, all certain. */
function sourceOf(heats: Readonly<Record<string, number>>) {
  return {
    *atLeast(heat: number) {
      for (const [key, has] of Object.entries(heats)) if (has >= heat) yield { space: 's', key };
    },
    rangeOf({ key }: { readonly key: string }) {
      return { low: heats[key] ?? 0, high: heats[key] ?? 0 };
    },
  };
}

function shown(hot: HotDocuments): Record<string, number> {
  return Object.fromEntries([...hot.all()].map(([{ key }, copies]) => [key, copies]));
}

test('documents are hot from the threshold on, until they have cooled, known to the table or not', () => {
  const hot = new HotDocuments(OPTIONS);
  hot.tick(0, sourceOf({ a: 99, b: 500 }));
  assert.deepEqual(shown(hot), { b: 2 });
  hot.tick(1000, sourceOf({ a: 100 }));
  assert.deepEqual(shown(hot), { b: 2, a: 1 });
  hot.tick(5999, sourceOf({ a: 50 }));
  assert.deepEqual(shown(hot), { b: 2, a: 1 });
  hot.tick(6000, sourceOf({ a: 50 }));
  assert.deepEqual(shown(hot), { a: 1 });
  assert.equal(hot.copiesOf({ space: 's', key: 'a' }), 1);
  assert.equal(hot.copiesOf({ space: 's', key: 'b' }), 0);
  assert.equal(hot.copiesOf({ space: 'other', key: 'a' }), 0);
});

test('no more are hot at a time than the limit says; the others come when there is room', () => {
  const hot = new HotDocuments(OPTIONS);
  hot.tick(0, sourceOf({ a: 100, b: 100, c: 100 }));
  assert.deepEqual(shown(hot), { a: 1, b: 1 });
  hot.tick(1000, sourceOf({ b: 100, c: 100 }));
  hot.tick(6000, sourceOf({ b: 100, c: 100 }));
  assert.deepEqual(shown(hot), { b: 1, c: 1 });
});
