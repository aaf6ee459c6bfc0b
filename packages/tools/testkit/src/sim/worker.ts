// A process that runs the seeds it is sent, one at a time.

import { runSeed } from './one-run.js';
import type { PlanChanges } from './plan.js';

process.on('message', ({ seed, changes }: { seed: number; changes: PlanChanges }) => {
  process.send!(runSeed(seed, changes));
});
process.on('disconnect', () => process.exit());
