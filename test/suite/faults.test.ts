// The short form of every fault that is done to real clusters; `npm run faults` has the long one.

import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import { FAULT_CASES } from '../src/faults/catalogue.js';
import { roundsOf } from '../src/faults/fault-case.js';

const seed = Number(process.env['SEED'] ?? 1);

for (const { name, what, unavailable, run } of FAULT_CASES) {
  test(`no promise is broken by ${name}: ${what}`, { timeout: 180_000 }, async (t) => {
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
  });
}
