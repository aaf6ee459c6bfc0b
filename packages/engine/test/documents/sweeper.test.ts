import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { GroupDocuments } from '../../src/documents/group-documents.js';
import type { LocalDocument } from '../../src/documents/local-document.js';
import { Sweeper } from '../../src/documents/sweeper.js';

/** A group of documents that were last used at the times given. */
function group(usedMs: readonly number[]) {
  const locals = new Set(usedMs.map((used) => ({ usedMs: used }) as LocalDocument));
  let steps = 0;
  const documents = {
    all: () => locals.values(),
    evict(local: LocalDocument, beforeMs: number) {
      steps++;
      if (local.usedMs < beforeMs) locals.delete(local);
    },
  } as unknown as GroupDocuments;
  return { documents, locals, steps: () => steps };
}

function sweeper(
  groups: ReadonlyArray<{ documents: GroupDocuments }>,
  residency = { isPressed: false },
) {
  const limits = { ...DEFAULT_LIMITS, idleEvictMs: 60_000 };
  return new Sweeper(groups, { limits, residency }, 0);
}

test('documents that nothing has used for the idle time leave, in every group', () => {
  const groups = [group([0, 50_000]), group([0])];
  const sweep = sweeper(groups);
  sweep.sweep(4999);
  assert.equal(groups[0]!.steps(), 0);
  sweep.sweep(70_000);
  assert.deepEqual(
    groups.map(({ locals }) => locals.size),
    [1, 0],
  );
});

test('with too much in memory documents leave sooner, but not while they are in use', () => {
  const one = group([9000, 9000, 12_500]);
  const residency = { isPressed: false };
  const sweep = sweeper([one], residency);
  sweep.sweep(10_000);
  assert.equal(one.locals.size, 3);
  residency.isPressed = true;
  sweep.sweep(10_250);
  assert.equal(one.locals.size, 1);
});

test('a walk over very many documents is cut into parts (CostIsTheDelta)', () => {
  const many = group(Array.from({ length: 12_000 }, () => 0));
  const sweep = sweeper([many]);
  sweep.sweep(70_000);
  assert.equal(many.steps(), 5000);
  sweep.sweep(70_250);
  sweep.sweep(70_500);
  assert.equal(many.locals.size, 0);
});
