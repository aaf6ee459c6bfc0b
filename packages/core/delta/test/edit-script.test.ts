import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editScript, type Gap } from '../src/edit-script.js';

const sequence = fc.array(fc.nat({ max: 4 }), { maxLength: 14 });

test('a script leads from one sequence to the other with the fewest changes', () => {
  fc.assert(
    fc.property(sequence, sequence, (before, after) => {
      const script = editScript(before, after, 100);
      assert.deepEqual(follow(before, after, script), after);
      assert.equal(changesOf(script), fewestChanges(before, after));
    }),
    { numRuns: 1000 },
  );
});

test('with too many changes, all between the common ends is one gap', () => {
  fc.assert(
    fc.property(sequence, sequence, fc.nat({ max: 5 }), (before, after, max) => {
      const script = editScript(before, after, max);
      assert.deepEqual(follow(before, after, script), after);
      const fewest = fewestChanges(before, after);
      if (fewest <= max) assert.equal(changesOf(script), fewest);
      else assert.equal(script.filter((gap) => gap.removed + gap.added > 0).length, 1);
    }),
    { numRuns: 1000 },
  );
});

test('a long sequence with few changes takes little time', () => {
  const before = Array.from({ length: 300_000 }, (_, i) => i);
  const after = before.filter((i) => i % 10_000 !== 7);
  const start = process.hrtime.bigint();
  assert.equal(changesOf(editScript(before, after, 1000)), 30);
  assert.ok(process.hrtime.bigint() - start < 1_000_000_000n);
});

/** `before` with `script` applied, taking additions from `after`. */
function follow(
  before: readonly number[],
  after: readonly number[],
  script: readonly Gap[],
): number[] {
  const result: number[] = [];
  let x = 0;
  for (const { kept, removed, added } of script) {
    result.push(...before.slice(x, x + kept));
    x += kept + removed;
    result.push(...after.slice(result.length, result.length + added));
  }
  assert.equal(x, before.length);
  return result;
}

function changesOf(script: readonly Gap[]): number {
  return script.reduce((sum, { removed, added }) => sum + removed + added, 0);
}

/** By the longest common subsequence, the textbook way. */
function fewestChanges(before: readonly number[], after: readonly number[]): number {
  let row: number[] = new Array<number>(after.length + 1).fill(0);
  for (const x of before) {
    const next = [0];
    after.forEach((y, j) => {
      next.push(x === y ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!));
    });
    row = next;
  }
  return before.length + after.length - 2 * row.at(-1)!;
}
