import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomRun } from '@deltabase/testkit';

/** A run of more seeds than usual: `SEEDS=1000-2000`; one seed, with its log: `SEEDS=42`. */
const [FIRST, LAST] = (process.env['SEEDS'] ?? '1-30').split('-').map(Number);

const coverage = new Map<string, number>();

test('under any faults every promise is kept, and all heals; the same seed gives the same run', () => {
  const trace = LAST === undefined ? console.log : () => {};
  for (let seed = FIRST!; seed <= (LAST ?? FIRST!); seed++) {
    try {
      const first = randomRun({ seed, coverage, trace });
      if (seed % 3 > 0) continue;
      const second = randomRun({ seed });
      assert.deepEqual(second, first, 'a seed gives one run (pitfall 27)');
    } catch (thrown) {
      if (thrown instanceof Error) thrown.message = `seed ${seed}: ${thrown.message}`;
      throw thrown;
    }
  }
});

test('the seeds have seen what they are there to see', { skip: LAST === undefined }, () => {
  for (const what of [
    'a disk failed',
    'a group fell asleep',
    'a group woke for a message',
    'a group woke for what was to be done',
    'a group woke since its leader was lost',
    'a leader was elected anew',
    'a link was cut one way',
    'a log was compacted',
    'a machine was replaced',
    'a message was answered DEADLINE_EXCEEDED',
    'a message was answered OUT_OF_ORDER',
    'a message was answered OVERLOADED',
    'a message was answered UNAVAILABLE',
    'a message was passed on',
    'a message was sent again',
    'a node crashed and what it was writing was kept',
    'a node crashed and what it was writing was lost',
    'a node stalled',
    'a node was cut off',
    'a snapshot was installed',
    'a wall clock was wrong',
    'a watch went on behind a seq',
    'an answered message was sent again',
  ]) {
    assert.ok((coverage.get(what) ?? 0) > 3, `${what} ${coverage.get(what) ?? 0} times`);
  }
});
