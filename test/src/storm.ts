// npm run storm -- [--seconds 30] [--seed N] [--writers 64] [--documents 200]: see storm-run.ts.

import { parseArgs } from 'node:util';
import { storm } from './storm-run.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    writers: { type: 'string', default: '64' },
    documents: { type: 'string', default: '200' },
  },
});
const seed = Number(values.seed);
console.log(`seed ${seed}`);
const report = await storm({
  seconds: Number(values.seconds),
  seed,
  writers: Number(values.writers),
  documents: Number(values.documents),
  progress: console.log,
});
const { acknowledged, unknown, kills, longestGapMs } = report;
console.log(
  `${acknowledged} acknowledged, ${unknown} of unknown fate, ${kills} kills; longest time without an ` +
    `acknowledgement ${longestGapMs} ms; nothing lost, nothing twice, all copies equal`,
);
