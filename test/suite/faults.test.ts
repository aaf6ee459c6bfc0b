// The short form of every fault that is done to real clusters; `npm run faults` has the long one.

import { type TestContext, test } from 'node:test';
import { makePrng } from '@deltabase/base';
import { FAULT_CASES } from '../src/faults/catalogue.js';
import { type FaultCase, roundsOf } from '../src/faults/fault-case.js';

const seed = Number(process.env['SEED'] ?? 1);
/** Clusters wait a good deal: for time-outs, for processes to start, for disks. */
const AT_ONCE = 2;

test('no promise is broken under real faults', { concurrency: AT_ONCE }, async (t) => {
  const cases = FAULT_CASES.map((faultCase) =>
    t.test(`by ${faultCase.name}: ${faultCase.what}`, { timeout: 180_000 }, (each) =>
      meet(each, faultCase),
    ),
  );
  await Promise.all(cases);
});

async function meet(t: TestContext, { name, unavailable, run }: FaultCase): Promise<void> {
  const why = await unavailable?.();
  if (why !== undefined) {
    t.skip(why);
    return;
  }
  t.diagnostic(`to repeat: npm run faults -- --only ${name} --seed ${seed}`);
  const random = makePrng(seed);
  const progress = (): void => {};
  const report = await run({ random, again: roundsOf({}), progress });
  for (const line of report.split('\n')) t.diagnostic(line);
}
