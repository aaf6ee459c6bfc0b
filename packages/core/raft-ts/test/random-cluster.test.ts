import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Coverage, Simulation } from './support/simulation.js';

/** A run of more seeds than usual: `SEEDS=1000-2000`; one seed: `SEEDS=42`. */
const [FIRST, LAST] = (process.env['SEEDS'] ?? '1-400').split('-').map(Number);

const coverage: Coverage = new Map();

test('under any faults Raft keeps its promises, and heals; the same seed gives the same run (StateMachineSafety)', () => {
  for (let seed = FIRST!; seed <= (LAST ?? FIRST!); seed++) {
    try {
      const first = new Simulation(seed, coverage).run();
      const second = new Simulation(seed, new Map()).run();
      assert.equal(second, first, 'a seed gives one run (pitfall 27)');
    } catch (thrown) {
      if (thrown instanceof Error) thrown.message = `seed ${seed}: ${thrown.message}`;
      throw thrown;
    }
  }
});

test('the seeds have seen what they are there to see', { skip: LAST === undefined }, () => {
  for (const what of [
    'a configuration change was applied',
    'a crash came between two steps',
    'a deposed leader led on, with lease reads',
    'a deposed leader led on, with safe reads',
    'a crash lost writes',
    'a leader was elected',
    'a log was truncated',
    'a message was lost',
    'a partition began',
    'a proposal was dropped',
    'a read was answered',
    'a snapshot was delivered',
    'a snapshot was installed',
    'a snapshot was joint',
    'a snapshot was lost',
    'an entry was applied while joint',
  ]) {
    assert.ok((coverage.get(what) ?? 0) > 20, `${what} ${coverage.get(what) ?? 0} times`);
  }
});
