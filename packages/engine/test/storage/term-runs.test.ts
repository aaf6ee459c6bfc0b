import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TermRuns } from '../../src/storage/term-runs.js';

/** What happens to a log: entries come, the end is cut off, the beginning goes. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), newer: fc.nat({ max: 2 }) }),
  fc.record({ kind: fc.constant('truncate' as const), keep: fc.nat({ max: 100 }) }),
  fc.record({ kind: fc.constant('compact' as const), keep: fc.nat({ max: 100 }) }),
);

test('terms are those of the entries, whatever is appended, cut off and compacted', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const runs = new TermRuns(10, 1);
      let terms = new Map([[10, 1]]);
      for (const { kind, ...at } of steps) {
        const indices = [...terms.keys()];
        const first = indices[0]!;
        const last = indices.at(-1)!;
        if (kind === 'append') {
          const term = terms.get(last)! + (at as { newer: number }).newer;
          terms.set(last + 1, term);
          runs.append(last + 1, term);
        } else {
          const cut = first + 1 + ((at as { keep: number }).keep % (last - first + 1));
          if (cut > last) continue;
          const isKept = (index: number): boolean =>
            kind === 'truncate' ? index < cut : index >= cut;
          terms = new Map([...terms].filter(([index]) => isKept(index)));
          if (kind === 'truncate') runs.truncate(cut);
          else runs.compact(cut);
        }
        for (const [index, term] of terms) assert.equal(runs.at(index), term, `at ${index}`);
      }
    }),
  );
});

test('a term that goes back, or one before the log, is a defect', () => {
  const runs = new TermRuns(5, 3);
  assert.throws(() => runs.append(6, 2), /terms never go back/);
  assert.throws(() => runs.at(4), /not known/);
  assert.throws(() => runs.truncate(5), /first term stays/);
});
