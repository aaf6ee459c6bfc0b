// npm run sleepers -- [--seconds 60] [--watchers 100] ...: see sleepers-run.ts.

import { counter, parseOptions } from './command-line.js';
import { sleepThrough } from './sleepers-run.js';

const USAGE = `npm run sleepers -- [OPTION ...]
  --seconds N      how long they read nothing; default 60
  --rate N         messages a second to what they watch; default 1000
  --watchers N     at the node that leads it; default 100
  --growth N       MiB that the node may grow by meanwhile, beside 4 for each of the fifth that want every delta; default 128`;

const { values } = parseOptions(
  {
    options: {
      seconds: { type: 'string', default: '60' },
      rate: { type: 'string', default: '1000' },
      watchers: { type: 'string', default: '100' },
      growth: { type: 'string', default: '128' },
      help: { type: 'boolean', default: false },
    },
  },
  USAGE,
);

if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const count = counter(values, USAGE);
const report = await sleepThrough({
  seconds: count('seconds'),
  rate: count('rate'),
  watchers: count('watchers'),
  growthMiBMax: count('growth'),
  progress: console.log,
});
const { deltas, deltasPerSecond, missedMiB, memoryMiB, waitMs, woken, settledMs } = report;
console.log(
  `${deltas} deltas, ${deltasPerSecond} a second; the watchers missed ${missedMiB} MiB of them`,
);
console.log(
  `memory of the leader, at most: ${memoryMiB.before} MiB before, ${memoryMiB.asleep} while they slept, ${memoryMiB.awake} until they were awake`,
);
console.log(
  `a message waited ${waitMs.before.join(' / ')} ms before, ${waitMs.asleep.join(' / ')} while they slept (median / one of a hundred)`,
);
for (const [kind, { events, kiB, longestStep }] of Object.entries(woken)) {
  console.log(
    `${kind}: ${events} events of ${kiB} KiB at most, up to ${longestStep} deltas in one`,
  );
}
console.log(`all have the leader's hash, the last ${settledMs} ms after it woke`);
