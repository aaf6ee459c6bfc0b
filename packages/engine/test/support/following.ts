// A replica that follows a document of a known history, for the tests of what it follows and of what it gives.

import assert from 'node:assert/strict';
import { makeHistory } from './history.js';
import { type BenchOptions, ReplicaBench } from './replica-bench.js';

export const STEPS = makeHistory(40);
export const FIRST = STEPS[0]!;

/** A replica that follows document `k`, which is at `seq`; watched by a sink that has its state. */
export function following(seq: number, options: BenchOptions = {}) {
  const bench = new ReplicaBench(options);
  bench.live();
  const sink = bench.watch('k');
  bench.say((up) => up.state(1, STEPS[seq - 1]!));
  assert.deepEqual(sink.got, [`state ${seq}`]);
  return { bench, sink };
}
